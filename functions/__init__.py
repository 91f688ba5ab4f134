"""The three Lambda functions, all of one shape: `handler` takes the event, `service` does the work.

They import `shared`; `shared` never imports them, and none of them imports another.
"""
