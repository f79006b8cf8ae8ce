"""From a model folder to TensorRT engines: graphs made fit, built, compared and measured. Needs `onnx`, not torch."""
