"""Models as a site would serve them: KServe's server with ONNX Runtime inside."""

import json
import pathlib

import onnxruntime
from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer

from sent import note_down


class Served(Model):
    def __init__(self, folder: pathlib.Path):
        settings = json.loads((folder / "model-settings.json").read_text())
        super().__init__(settings["name"])
        self.settings = settings
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            folder / "model.onnx", options, providers=["CPUExecutionProvider"]
        )
        self.load()

    # Of a model that does not say what it takes and gives, KServe says that it takes and gives nothing.
    def get_input_types(self):
        return self.settings.get("inputs", [])

    def get_output_types(self):
        return self.settings.get("outputs", [])

    def predict(self, payload: InferRequest, headers=None, response_headers=None) -> InferResponse:
        (given,) = payload.inputs
        image = given.as_numpy()
        outputs = [output.name for output in payload.request_outputs or []]
        note_down(payload.model_name, payload.id, headers, given.name, image, outputs)
        fault = self.settings["parameters"]["extra"]["fault"]
        if fault:
            raise RuntimeError(fault)
        (made,) = self.session.run(outputs, {given.name: image})
        # KServe sends an array as bytes, and a list number by number.
        numbers = made if "outputs" in self.settings else made.flatten().tolist()
        output = InferOutput(outputs[0], list(made.shape), "FP32", numbers)
        return InferResponse(payload.id, self.name, [output])


if __name__ == "__main__":
    folders = sorted(file.parent for file in pathlib.Path().glob("*/model-settings.json"))
    ModelServer().start([Served(folder) for folder in folders])
