"""A small shop that stands for a real data unit: people in every kind of row, key and object, all of them made up.

`python -m demo` builds it and shows one person in it; tests and benches build it by `demo.shop.build`.
"""

from pathlib import Path

FOLDER = Path(__file__).resolve().parent
