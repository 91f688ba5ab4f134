"""What is measured, each figure beside a floor that is measured in the same run: the least that anybody could do.

Machines differ and are noisy: a figure here is a median of interleaved rounds, and what counts is its ratio.
"""
