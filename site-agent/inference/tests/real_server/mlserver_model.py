"""A model as a site would serve it: MLServer with ONNX Runtime inside."""

import onnxruntime
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse
from mlserver.utils import get_model_uri

from sent import note_down


class Served(MLModel):
    async def load(self) -> bool:
        file = await get_model_uri(self.settings)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        (given,) = payload.inputs
        image = NumpyCodec.decode_input(given)
        outputs = [output.name for output in payload.outputs or []]
        headers = payload.parameters and payload.parameters.headers
        note_down(self.name, payload.id, headers, given.name, image, outputs)
        fault = self.settings.parameters.extra["fault"]
        if fault:
            raise RuntimeError(fault)
        (made,) = self.session.run(outputs, {given.name: image})
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output(outputs[0], made)])
