"""A real Chromium, with and without WebGL, that keeps what it asked for."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Page, sync_playwright

QUIET = [
    "--no-sandbox",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
]
SOFTWARE_GL = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
NO_GL = ["--disable-gpu", "--disable-3d-apis"]


@dataclass
class Seen:
    """What a page asked for and complained about."""

    requests: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def outside(self, origin: str) -> list[str]:
        """Return the requests that left the origin."""
        inside = (f"{origin}/", "data:", "blob:")
        return [url for url in self.requests if not url.startswith(inside)]


@contextmanager
def page(*, webgl: bool = True, javascript: bool = True) -> Iterator[tuple[Page, Seen]]:
    """Open one page in a fresh Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=[*QUIET, *(SOFTWARE_GL if webgl else NO_GL)],
        )
        try:
            opened = browser.new_page(
                viewport={"width": 1280, "height": 800}, java_script_enabled=javascript
            )
            seen = Seen()
            opened.on("request", lambda request: seen.requests.append(request.url))
            opened.on(
                "response",
                lambda answer: (
                    seen.failures.append(f"{answer.status} {answer.url}")
                    if answer.status >= 400
                    else None
                ),
            )
            opened.on("pageerror", lambda error: seen.complaints.append(str(error)))
            opened.on(
                "console",
                lambda told: (
                    seen.complaints.append(told.text)
                    if told.type == "error" and "Content Security Policy" in told.text
                    else None
                ),
            )
            yield opened, seen
        finally:
            browser.close()


FAINT = """
() => {
  const parse = text => {
    const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
    return [r, g, b, a];
  };
  const light = ([r, g, b]) => {
    const part = v => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const ground = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour[3] > 0) return colour;
    }
    return [255, 255, 255, 1];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const box = element.getBoundingClientRect();
    const text = walker.currentNode.data.trim();
    if (!text || box.width === 0 || box.right < 0 || element.closest('[aria-disabled]')) continue;
    const style = getComputedStyle(element);
    if (style.visibility === 'hidden') continue;
    const [a, b] = [light(parse(style.color)), light(ground(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) found.push(`${ratio.toFixed(2)} ${text.slice(0, 40)}`);
  }
  return found;
}
"""


def faint_texts(opened: Page) -> list[str]:
    """Return the texts whose contrast is below WCAG AA (1.4.3), with the ratio."""
    found: list[str] = opened.evaluate(FAINT)
    return found
