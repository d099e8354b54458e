"""A model as a site would serve it: MLServer with ONNX Runtime inside."""

import numpy
import onnxruntime
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse
from mlserver.utils import get_model_uri


class Served(MLModel):
    async def load(self) -> bool:
        file = await get_model_uri(self.settings)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        image = NumpyCodec.decode_input(payload.inputs[0])
        name = self.session.get_outputs()[0].name
        (made,) = self.session.run([name], {payload.inputs[0].name: image})
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output(name, made)])
