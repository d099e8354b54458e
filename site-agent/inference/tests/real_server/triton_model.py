"""A model as a site would serve it: Triton Inference Server with ONNX Runtime inside."""

import json
import pathlib

import onnxruntime
import triton_python_backend_utils as triton

from sent import note_down


class TritonPythonModel:
    def initialize(self, args):
        folder = pathlib.Path(args["model_repository"])
        self.name = args["model_name"]
        self.settings = json.loads((folder / "model-settings.json").read_text())
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            folder / "model.onnx", options, providers=["CPUExecutionProvider"]
        )

    def execute(self, requests):
        return [self.answer(request) for request in requests]

    def answer(self, request):
        (given,) = request.inputs()
        image = given.as_numpy()
        outputs = sorted(request.requested_output_names())
        headers = json.loads(request.parameters() or "{}")
        note_down(self.name, request.request_id(), headers, given.name(), image, outputs)
        fault = self.settings["parameters"]["extra"]["fault"]
        if fault:
            triton.Logger.log_error(fault)
            return triton.InferenceResponse(error=triton.TritonError(fault))
        (made,) = self.session.run(outputs, {given.name(): image})
        return triton.InferenceResponse([triton.Tensor(outputs[0], made)])
