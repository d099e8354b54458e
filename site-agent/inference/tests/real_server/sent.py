"""What a server was sent, a line for each request: everything that could tell one case from another."""

import hashlib
import json


def note_down(model, id, headers, input, image, outputs):
    sent = {
        "model": model,
        "id": id or "",
        "headers": dict(headers or {}),
        "input": input,
        "datatype": str(image.dtype),
        "shape": list(image.shape),
        "image": hashlib.sha256(image.tobytes()).hexdigest(),
        "outputs": outputs,
    }
    with open("sent", "a") as file:
        file.write(json.dumps(sent) + "\n")
