"""One role of a model folder becomes an engine: parsed, built with progress, and put in place with its side-car."""

from __future__ import annotations

import hashlib
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from engines import engine_files
from engines.backends import trt_vendor
from engines.building import timing_cache
from engines.building.carrying import with_carrying
from engines.building.graph import prepared
from engines.building.monitor import progress_monitor
from engines.engine_spec import TITLES, EngineSpec
from engines.errors import BuildCancelledError, BuildError
from engines.model_folder import SPEC_FILE, sha256

if TYPE_CHECKING:
    from pathlib import Path

    from engines.building.monitor import BuildMonitor
    from engines.engine_spec import BuildOptions, Machine, TensorRtName
    from engines.model_folder import ModelFolder
    from engines.spec import RoleName

LEAST_BF16 = 8.0
"""Compute capability: bfloat16 convolutions came with Ampere."""


def target_machine(backend: TensorRtName, capabilities: tuple[str, ...] = ()) -> Machine:
    """What shall be built for: this machine, or other GPUs, which only TensorRT-RTX can do.

    Args:
        backend: whose engines.
        capabilities: compute capabilities such as 8.9; none: this machine's GPU.

    Raises:
        BackendError: the packages are missing.
        BuildError: there is no GPU to build for, or the capabilities are not known to TensorRT.
    """
    here = trt_vendor.machine(backend)
    if not capabilities or capabilities == here.capabilities:
        reason = trt_vendor.why_no_gpu(backend)
        if reason is not None:
            advice = (
                "name the GPUs to build for with --computeCapability, such as sm89"
                if backend == "tensorrt-rtx"
                else "only TensorRT-RTX builds without one: --backend tensorrt-rtx"
            )
            raise BuildError(f"{reason}; {advice}")
        return here
    if backend != "tensorrt-rtx":
        raise BuildError(
            f"TensorRT builds for the GPU of this machine only ({here.device or 'there is none'}); leave out "
            "--computeCapability, or take --backend tensorrt-rtx"
        )
    trt = trt_vendor.import_trt(backend)
    for capability in capabilities:
        if trt_vendor.compute_capability(trt, capability) is None:
            names = sorted((name for name in dir(trt.ComputeCapability) if name.startswith("SM")), key=_number)
            raise BuildError(
                f"TensorRT-RTX {here.version} does not build for sm{capability.replace('.', '')}; it does for "
                f"{', '.join(names).lower()}"
            )
    return here.model_copy(update={"device": None, "capabilities": tuple(sorted(set(capabilities), key=float))})


def build(
    model: ModelFolder,
    role: RoleName,
    folder: Path,
    *,
    target: Machine,
    options: BuildOptions,
    monitor: BuildMonitor,
    timings: Path | None = None,
) -> engine_files.EngineFile:
    """Build an engine; whatever ends it, there is a whole one afterwards or none.

    Args:
        model: the folder with the ONNX files; it is only read.
        role: to build.
        folder: where engines are kept.
        target: see `target_machine`.
        options: how.
        monitor: is told how far it is, and may stop it.
        timings: file of TensorRT's timing cache.

    Raises:
        BuildCancelledError: the monitor stopped it.
        BuildError: the graph cannot be built.
        ModelFolderError: the ONNX file is missing or was changed.
    """
    if options.precision == "bf16" and any(float(each) < LEAST_BF16 for each in target.capabilities):
        raise BuildError("bf16 needs compute capability 8.0 (Ampere) or newer; choose --precision fp16")
    entry = model.spec.roles[role]
    graph = prepared(model.file(role), entry, options.precision)
    monitor.begin(f"{model.spec.name} {role} {options.precision}")
    started = time.perf_counter()
    data = _serialised(graph.SerializeToString(), target, options, monitor, timings)
    tensors = with_carrying(entry)
    spec = EngineSpec(
        model=model.spec.name,
        family=model.spec.family,
        role=role,
        model_sha256=sha256(model.path / SPEC_FILE),
        onnx_sha256=entry.sha256,
        engine_sha256=hashlib.sha256(data).hexdigest(),
        engine_bytes=len(data),
        inputs=tensors.inputs,
        outputs=tensors.outputs,
        machine=target,
        options=options,
        built_at=datetime.now(timezone.utc),
        build_s=round(time.perf_counter() - started, 3),
    )
    path = engine_files.path_for(folder, model, role, target=target, options=options)
    return engine_files.write(path, data, spec)


def _serialised(
    graph: bytes, target: Machine, options: BuildOptions, monitor: BuildMonitor, timings: Path | None
) -> bytes:
    trt = trt_vendor.import_trt(target.backend)
    logger = trt_vendor.logger(trt)
    builder = trt.Builder(logger)
    network = builder.create_network(_flags(trt))
    _parse(trt, network, graph, logger)
    config = builder.create_builder_config()
    watching = progress_monitor(trt, monitor)
    config.progress_monitor = watching
    _configure(trt, config, target, options)
    with timing_cache.used(config, timings):
        plan = builder.build_serialized_network(network, config)
    if plan is not None:
        return bytes(plan)
    if monitor.was_stopped:
        raise BuildCancelledError("the build was cancelled; nothing of this engine was written")
    reason = logger.errors[-1] if logger.errors else "no reason given"
    raise BuildError(f"{TITLES[target.backend]} {target.version} cannot build this graph ({reason})")


def _flags(trt: Any) -> int:
    """Strong typing, where it has to be asked for: TensorRT 10."""
    flag = getattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED", None)
    return 0 if flag is None else 1 << int(flag)


def _parse(trt: Any, network: Any, graph: bytes, logger: Any) -> None:
    parser = trt.OnnxParser(network, logger)
    if not parser.parse(graph):
        errors = [parser.get_error(index) for index in range(parser.num_errors)]
        reason = "; ".join(f"{error.node_name()}: {error.desc()}" for error in errors) or "no reason given"
        raise BuildError(f"the graph has a node that TensorRT {trt.__version__} does not take ({reason})")
    layers = [network.get_layer(index) for index in range(network.num_layers)]
    plugins = [layer.name for layer in layers if "PLUGIN" in str(layer.type)]
    if plugins:
        raise BuildError(f"the graph needs plugins ({', '.join(plugins)}); export the model again")


def _configure(trt: Any, config: Any, target: Machine, options: BuildOptions) -> None:
    if options.workspace_mib is not None:
        config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, options.workspace_mib << 20)
    if options.optimisation is not None:
        config.builder_optimization_level = options.optimisation
    if options.precision == "fp32":
        config.clear_flag(trt.BuilderFlag.TF32)  # on by itself, and rounds to eleven bits
    capturable = getattr(trt.BuilderFlag, "REQUIRE_USER_ALLOCATION", None)
    if capturable is not None:
        # TensorRT-RTX promises only with it that a run can be captured as a CUDA graph.
        config.set_flag(capturable)
    if options.version_compatible:
        config.set_flag(trt.BuilderFlag.VERSION_COMPATIBLE)
    if target.backend == "tensorrt-rtx":
        # For this machine's GPU, too: unless it is told so, TensorRT-RTX builds for Ampere and newer only.
        config.num_compute_capabilities = len(target.capabilities)
        for index, capability in enumerate(target.capabilities):
            config.set_compute_capability(trt_vendor.compute_capability(trt, capability), index)


def _number(name: str) -> int:
    return int(name.removeprefix("SM"))
