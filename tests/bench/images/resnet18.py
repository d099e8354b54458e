#!/usr/bin/env python3
"""usage: resnet18.py FILE.onnx: writes a network of the size of ResNet-18 with random weights: one channel of 224 by 224 pixels in, one probability out.
pip install onnx numpy"""
import sys
import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save

draw = np.random.default_rng(18)
nodes, weights, names = [], [], iter(range(10**6))


def stored(array):
    name = f"w{next(names)}"
    weights.append(numpy_helper.from_array(array.astype(np.float32), name))
    return name


def node(kind, inputs, **attributes):
    output = f"v{next(names)}"
    nodes.append(helper.make_node(kind, inputs, [output], **attributes))
    return output


def convolution(x, channels_in, channels, side, stride):
    scale = (2 / (channels_in * side * side)) ** 0.5
    kernel = stored(draw.normal(0, scale, (channels, channels_in, side, side)))
    x = node("Conv", [x, kernel], kernel_shape=[side, side], strides=[stride, stride], pads=[side // 2] * 4)
    # Batch normalisation as it is trained: near to nothing, and not quite.
    of = [stored(a) for a in (draw.normal(1, 0.1, channels), draw.normal(0, 0.1, channels), draw.normal(0, 0.1, channels), draw.uniform(0.8, 1.2, channels))]
    return node("BatchNormalization", [x, *of])


def block(x, channels_in, channels, stride):
    y = node("Relu", [convolution(x, channels_in, channels, 3, stride)])
    y = convolution(y, channels, channels, 3, 1)
    if stride != 1 or channels_in != channels:
        x = convolution(x, channels_in, channels, 1, stride)
    return node("Relu", [node("Add", [y, x])])


def main(path):
    x = node("Relu", [convolution("image", 1, 64, 7, 2)])
    x = node("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    channels_in = 64
    for channels, stride in [(64, 1), (128, 2), (256, 2), (512, 2)]:
        x = block(x, channels_in, channels, stride)
        x = block(x, channels, channels, 1)
        channels_in = channels
    x = node("Flatten", [node("GlobalAveragePool", [x])])
    x = node("Gemm", [x, stored(draw.normal(0, 0.01, (512, 1))), stored(np.zeros(1))])
    nodes.append(helper.make_node("Sigmoid", [x], ["probability"]))
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 1, 224, 224])
    probability = helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["batch", 1])
    graph = helper.make_graph(nodes, "resnet18", [image], [probability], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(model)
    save(model, path)
    print(f"{path}: {sum(np.prod(w.dims) for w in weights)} numbers")


if __name__ == "__main__":
    main(sys.argv[1])
