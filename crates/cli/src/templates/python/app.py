import os


def handler(event, context):
    """Greets `event["name"]`."""
    name = event.get("name")
    if not name:
        raise ValueError("name must not be empty")
    print(f"greeting {name}")
    return {"message": f"{os.environ['GREETING']}, {name}"}
