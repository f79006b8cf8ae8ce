"""Inside the machine: a page in a real browser asks for the camera, as a video call in a browser does."""

from __future__ import annotations

import json
import subprocess
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from tests.vm.program import PATIENCE_S, SlowError
from tests.vm.readers import PLACES

FRAMES = 10
PAGE = """<!doctype html><title>call</title><video id="view" muted playsinline></video><script>
const places = PLACES, view = document.getElementById("view");
const tell = (found) => fetch("/", { method: "POST", body: JSON.stringify(found) });
async function call() {
  const devices = (await navigator.mediaDevices.enumerateDevices()).filter((each) => each.kind === "videoinput");
  const camera = devices.find((each) => each.label.startsWith("Puppet"));
  if (!camera) return { labels: devices.map((each) => each.label) };
  const stream = await navigator.mediaDevices.getUserMedia({ video: { deviceId: { exact: camera.deviceId } } });
  view.srcObject = stream;
  await view.play();
  for (let count = 0; count < FRAMES; count++) await new Promise((done) => view.requestVideoFrameCallback(done));
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [view.videoWidth, view.videoHeight];
  const drawing = canvas.getContext("2d");
  drawing.drawImage(view, 0, 0);
  return {
    labels: devices.map((each) => each.label), width: view.videoWidth, height: view.videoHeight,
    rate: stream.getVideoTracks()[0].getSettings().frameRate,
    colours: places.map(([row, column]) => Array.from(drawing.getImageData(column, row, 1, 1).data)),
  };
}
call().then(tell, (error) => tell({ error: String(error) }));
</script>"""


def call() -> dict[str, Any]:
    """What a page sees: names of the cameras, and of ours the size, the rate and the colours at `PLACES`."""
    said: list[dict[str, Any]] = []
    server = HTTPServer(("localhost", 0), _handler(said))
    server.timeout = 1.0
    # The browser's other processes outlive it for a moment and write on; the machine is thrown away whole.
    with server, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = subprocess.Popen(
            ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", "--use-fake-ui-for-media-stream", f"--user-data-dir={profile}",
             f"http://localhost:{server.server_port}/"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        late = threading.Timer(PATIENCE_S, browser.kill)
        late.start()
        try:
            while not said and browser.poll() is None:
                server.handle_request()
        finally:
            late.cancel()
            browser.kill()
            browser.wait()
    if not said:
        raise SlowError("the browser ended, or was ended because it was too slow, without a word")
    assert "error" not in said[0], said[0]
    return said[0]


def _handler(said: list[dict[str, Any]]) -> type[BaseHTTPRequestHandler]:
    page = PAGE.replace("PLACES", json.dumps([place for place, _ in PLACES])).replace("FRAMES", str(FRAMES))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(page.encode())

        def do_POST(self) -> None:
            said.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self._answer(b"")

        def log_message(self, *_: object) -> None:
            """Nothing: the checks say what happens."""

        def _answer(self, content: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    return Handler
