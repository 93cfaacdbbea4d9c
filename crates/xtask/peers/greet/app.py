"""The sample function, in Python."""

import os


def handler(event, context):
    greeting = os.environ["GREETING"]
    return {"message": f"{greeting}, {event['name']}", "version": context.function_version}
