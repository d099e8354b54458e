#!/usr/bin/env python3
"""usage: onnx_runtime_limit.py FILE.onnx [WORKERS] [SECONDS]: images a second of ONNX Runtime alone, without files, decoding and
answers: the same image again and again, one thread in each of so many processes.
pip install numpy onnxruntime"""
import multiprocessing
import sys
import time

import numpy as np
import onnxruntime


def run(file, seconds, begin, counts):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    (graph_input,) = session.get_inputs()
    image = np.random.default_rng(1).random([n if isinstance(n, int) else 1 for n in graph_input.shape], np.float32)
    session.run(None, {graph_input.name: image})
    begin.wait()
    images, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        session.run(None, {graph_input.name: image})
        images += 1
    counts.put(images)


if __name__ == "__main__":
    file, workers, seconds = sys.argv[1], int(*sys.argv[2:3] or [2]), float(*sys.argv[3:4] or [20])
    begin, counts = multiprocessing.Barrier(workers), multiprocessing.Queue()
    processes = [multiprocessing.Process(target=run, args=(file, seconds, begin, counts)) for _ in range(workers)]
    for process in processes:
        process.start()
    print(f"{sum(counts.get() for _ in processes) / seconds:.1f} images/s")
