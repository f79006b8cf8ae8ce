"""A throw-away Linux with video drivers under QEMU, sharing this machine's files.

The newest Debian kernel in /boot runs by software emulation. Its root is this machine's, read-only, with a layer in
memory above it, so that the same interpreter and checkout lie at the same paths and nothing here is changed. One folder
is shared for writing. `python -m tests.vm.machine` names the packages that are missing here.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = {
    "qemu-system-x86_64": "qemu-system-x86", "busybox": "busybox-static", "modprobe": "kmod", "v4l2-ctl": "v4l-utils",
    "ffmpeg": "ffmpeg", "chromium": "chromium", "Xvfb": "xvfb",
}  # fmt: skip
"""What the machine and the checks in it start, and Debian's packages of them."""
KERNEL = ("linux-image-amd64", "linux-headers-amd64", "v4l2loopback-dkms")
SHARED = Path("/shared")
"""Where the guest sees the shared folder."""
BOOT_MODULES = ("virtio_pci", "9pnet_virtio", "9p", "overlay")
GUEST_MODULES = ("vivid", "v4l2loopback")
NO_RESULT = 124

# The first process: mounts, then the command in the real root. `$MODULES` and `$COMMAND` are filled in.
INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
mkdir -p /proc /sys /dev /host /memory /root
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
for module in {modules}; do insmod /modules/$module; done
share="trans=virtio,version=9p2000.L,msize=512000"
mount -t 9p -o $share,ro,cache=loose host /host
mount -t tmpfs -o size=80% memory /memory
mkdir /memory/above /memory/work
mount -t overlay -o lowerdir=/host,upperdir=/memory/above,workdir=/memory/work merged /root
mkdir -p /root{shared}
mount -t 9p -o $share shared /root{shared}
for place in dev proc sys; do mount --move /$place /root/$place; done
ip link set lo up
exec switch_root /root /bin/sh -c '
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root PYTHONDONTWRITEBYTECODE=1
mount -t tmpfs tmpfs /run; mkdir /run/tmp; export TMPDIR=/run/tmp
mkdir -p /dev/shm; mount -t tmpfs tmpfs /dev/shm
cd {folder}
{command} >{shared}/output 2>&1
echo $? >{shared}/status
sync
echo o >/proc/sysrq-trigger
sleep 60
'
"""


@dataclass(frozen=True)
class Result:
    """What came of one run."""

    status: int
    """Of the command; `NO_RESULT` if it did not end in time."""
    output: str
    console: str
    """The kernel's."""


def why_not() -> str | None:
    """What the machine lacks on this host; None if it can be started."""
    packages = missing_packages()
    if not packages:
        return None
    return f"the machine cannot be started; run: apt-get install --no-install-recommends {' '.join(packages)}"


def missing_packages() -> list[str]:
    """Debian's packages that the machine or the checks in it need and that are not there."""
    missing = [package for program, package in PROGRAMS.items() if shutil.which(program) is None]
    kernel = newest_kernel()
    # Without `modprobe` nobody knows.
    if kernel is None or "kmod" in missing or not all(_module_paths(kernel, name) for name in GUEST_MODULES):
        missing += KERNEL
    return missing


def newest_kernel() -> str | None:
    """Version of the newest Debian kernel that is installed and may be read."""
    found = [path for path in Path("/boot").glob("vmlinuz-*-amd64") if os.access(path, os.R_OK)]
    versions = [path.name.removeprefix("vmlinuz-") for path in found]
    return max(
        versions, key=lambda version: [int(part) for part in version.replace("-", ".").split(".")[:4]], default=None
    )


class Machine:
    """One boot a run."""

    def __init__(self, shared: Path, *, memory_mib: int = 4000) -> None:
        """Choose the folder that the guest may write to."""
        self._shared = shared
        self._memory_mib = memory_mib

    def run(self, command: list[str], *, timeout_s: float) -> Result:
        """Boot, run a command as root in this process's folder, and power off."""
        kernel = newest_kernel()
        assert kernel is not None, "asked before `why_not`"
        archive = self._shared / "initrd"
        archive.write_bytes(_first_files(kernel, command))
        console = self._shared / "console"
        arguments = _qemu(kernel, archive, console, self._shared, memory_mib=self._memory_mib)
        try:
            subprocess.run(arguments, timeout=timeout_s, check=False, stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            sys.stderr.write(f"the machine did not power off within {timeout_s:g} s\n")
        archive.unlink()
        status = self._read("status").strip()
        return Result(int(status) if status else NO_RESULT, self._read("output"), self._read("console"))

    def _read(self, name: str) -> str:
        path = self._shared / name
        return path.read_text(errors="replace") if path.exists() else ""


def _qemu(kernel: str, archive: Path, console: Path, shared: Path, *, memory_mib: int) -> list[str]:
    shares = {"host": (Path("/"), ",readonly=on"), "shared": (shared, "")}
    arguments = ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", str(memory_mib)]
    arguments += ["-display", "none", "-no-reboot", "-nic", "none", "-serial", f"file:{console}"]
    arguments += ["-kernel", f"/boot/vmlinuz-{kernel}", "-initrd", str(archive)]
    arguments += ["-append", "console=ttyS0 quiet panic=1"]
    for tag, (path, more) in shares.items():
        arguments += ["-fsdev", f"local,id={tag},path={path},security_model=none,multidevs=remap{more}"]
        arguments += ["-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"]
    return arguments


def _first_files(kernel: str, command: list[str]) -> bytes:
    """The file system that the kernel starts from, as a cpio archive."""
    modules: dict[str, Path] = {}
    for name in BOOT_MODULES:
        modules.update({path.name: path for path in _module_paths(kernel, name)})
    init = INIT.format(
        modules=" ".join(modules), shared=SHARED, folder=shlex.quote(os.getcwd()), command=shlex.join(command)
    )
    busybox = shutil.which("busybox")
    assert busybox is not None, "asked before `why_not`"
    files: list[tuple[str, int, bytes]] = [("bin", 0o040755, b""), ("modules", 0o040755, b"")]
    files += [("bin/busybox", 0o100755, Path(busybox).read_bytes()), ("init", 0o100755, init.encode())]
    files += [(f"modules/{name}", 0o100644, path.read_bytes()) for name, path in modules.items()]
    return _cpio(files)


def _module_paths(kernel: str, name: str) -> list[Path]:
    """A kernel module and what it needs, in the order in which they are loaded; empty if it is not there."""
    found = subprocess.run(
        ["modprobe", "--set-version", kernel, "--show-depends", name], capture_output=True, text=True, check=False
    )
    lines = [line.split() for line in found.stdout.splitlines()]
    return [Path(words[1]) for words in lines if words and words[0] == "insmod"]


def _cpio(files: list[tuple[str, int, bytes]]) -> bytes:
    """An archive in the "newc" format (kernel documentation, buffer-format): names, modes, contents."""
    archive = bytearray()
    for number, (name, mode, content) in enumerate([*files, ("TRAILER!!!", 0, b"")]):
        fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
        archive += b"070701" + "".join(f"{field:08X}" for field in fields).encode() + name.encode() + b"\0"
        archive += bytes(-len(archive) % 4) + content
        archive += bytes(-len(archive) % 4)
    return bytes(archive)


if __name__ == "__main__":
    sys.stdout.write("".join(f"{package}\n" for package in missing_packages()))
