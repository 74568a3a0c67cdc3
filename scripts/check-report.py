#!/usr/bin/env python3
"""Opens the report in a headless Chromium: every chart draws, filters work, hostile text stays text, nothing is loaded.

Usage: scripts/check-report.py [--install] [--pages FOLDER] [--screenshots FOLDER [--whole]]

--install      where there is no Chromium, install Debian's package (as root)
--pages        check report.html, hostile.html, empty.html and huge.html there; they are made by a test otherwise
--screenshots  write report-light.png, report-dark.png and report-print.png there: a part of each, with --whole all of it

Needs Python and Chromium, nothing else. Where there is no Chromium the check is skipped, and says so; CHROMIUM may hold its path.
"""
import argparse
import base64
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]


def find_chromium(install=False):
    named = os.environ.get("CHROMIUM")
    if named:
        return named
    for name in NAMES:
        path = shutil.which(name)
        if path:
            return path
    if not (install and hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get")):
        return None
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    packages = ["chromium", "fonts-noto-core"]
    for command in (["update", "-q"], ["install", "-y", "-q", "--no-install-recommends", *packages]):
        try:
            subprocess.run(["apt-get", *command], env=environment, stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, check=True, timeout=400)
        except (OSError, subprocess.SubprocessError):
            return None
    return shutil.which("chromium")


class Browser:
    """Chromium, spoken to over its debugging pipe."""

    def __init__(self, path):
        self.profile = tempfile.mkdtemp(prefix="korpus-report-")
        to_browser, self.write_end = os.pipe()
        self.read_end, from_browser = os.pipe()

        def wire():
            # The protocol wants descriptors 3 and 4.
            reader, writer = os.dup(to_browser), os.dup(from_browser)
            os.dup2(reader, 3)
            os.dup2(writer, 4)

        arguments = [path, "--headless=new", "--remote-debugging-pipe", f"--user-data-dir={self.profile}",
                     "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars",
                     "--force-color-profile=srgb", "--force-device-scale-factor=1", "--lang=en-GB", "about:blank"]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            arguments.insert(1, "--no-sandbox")
        self.process = subprocess.Popen(arguments, preexec_fn=wire, close_fds=False, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        os.set_blocking(self.read_end, False)
        self.buffer = b""
        self.number = 0
        self.events = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def receive(self, deadline):
        while b"\0" not in self.buffer:
            try:
                part = os.read(self.read_end, 1 << 20)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise TimeoutError("Chromium does not answer") from None
                time.sleep(0.005)
                continue
            if not part:
                raise EOFError("Chromium has ended")
            self.buffer += part
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if getattr(self, "session", None):
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.write_end, data):]
        deadline = time.monotonic() + 120
        while True:
            answer = self.receive(deadline)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def run(self, script):
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(json.dumps(answer["exceptionDetails"])[:2000])
        return answer["result"].get("value")

    def open(self, path, width=1280, height=900, scheme="light", media=""):
        self.events.clear()
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.media(scheme, media)
        started = time.monotonic()
        self.call("Page.navigate", url=path.resolve().as_uri())
        while self.run("document.readyState !== 'complete' || !location.href.startsWith('file')"):
            time.sleep(0.02)
        return time.monotonic() - started

    def media(self, scheme, media=""):
        self.call("Emulation.setEmulatedMedia", media=media,
                  features=[{"name": "prefers-color-scheme", "value": scheme}])

    def screenshot(self, path, clip=None):
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        box = clip or {"x": 0, "y": 0, "width": size["width"], "height": size["height"]}
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip={**box, "scale": 1})
        path.write_bytes(base64.b64decode(shot["data"]))

    def troubles(self):
        """What the console said, what threw, and what was asked of the network."""
        found = []
        self.run("0")
        for event in self.events:
            params = event.get("params", {})
            method = event.get("method")
            if method == "Runtime.exceptionThrown":
                details = params["exceptionDetails"]
                found.append("exception: " + details.get("exception", {}).get("description", details.get("text", "")))
            elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
                found.append("console: " + " ".join(str(arg.get("value", arg.get("description"))) for arg in params["args"]))
            elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
                found.append("log: " + params["entry"]["text"])
            elif method == "Network.requestWillBeSent" and not params["request"]["url"].startswith(("file:", "data:")):
                found.append("request: " + params["request"]["url"])
        return found

    def close(self):
        try:
            self.session = None
            self.call("Browser.close")
        except (OSError, EOFError, TimeoutError, RuntimeError):
            pass
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
        shutil.rmtree(self.profile, ignore_errors=True)


FAILURES = []


def expect(holds, what, detail=""):
    if not holds:
        FAILURES.append(what)
        print(f"  FAILED: {what} {detail}")


CHARTS = """Array.from(document.querySelectorAll('[data-chart]'), (chart) => {
  const figure = chart.closest('figure');
  const marks = Array.from(chart.querySelectorAll('svg path, svg rect, svg polyline')).filter((mark) => {
    const box = mark.getBBox();
    const paint = (name) => { const value = mark.getAttribute(name); return value && value !== 'none' && value !== 'transparent'; };
    return (paint('fill') || paint('stroke')) && box.width + box.height > 2;
  });
  return { title: figure.querySelector('h3').textContent, marks: marks.length, texts: chart.querySelectorAll('svg text').length,
    label: (chart.getAttribute('aria-label') || '').length, width: chart.clientWidth, height: chart.clientHeight };
})"""

TABLES = """Array.from(document.querySelectorAll('figure'), (figure) => {
  const details = figure.querySelector('details');
  if (details.hidden) return null;
  details.open = true;
  return new Promise((done) => setTimeout(() => done({ title: figure.querySelector('h3').textContent,
    rows: details.querySelectorAll('tbody tr').length, caption: !!details.querySelector('caption') }), 50));
}).reduce(async (all, each) => [...await all, await each], Promise.resolve([]))"""

STRUCTURE = """(() => {
  const levels = Array.from(document.querySelectorAll('h1,h2,h3'), (node) => Number(node.tagName[1]));
  const jumps = levels.filter((level, at) => at && level > levels[at - 1] + 1).length;
  const ids = Array.from(document.querySelectorAll('[id]'), (node) => node.id);
  return {
    h1: levels.filter((level) => level === 1).length, jumps,
    landmarks: ['header', 'nav', 'main', 'footer'].filter((name) => document.querySelectorAll(name).length !== 1),
    unnamed: Array.from(document.querySelectorAll('figure, section, nav, [role=region]')).filter((node) => {
      const by = node.getAttribute('aria-labelledby');
      return by ? !document.getElementById(by)?.textContent : !node.getAttribute('aria-label');
    }).length,
    unlabelled: Array.from(document.querySelectorAll('select')).filter((node) => !node.labels.length).length,
    twice: ids.length - new Set(ids).size, lang: document.documentElement.lang,
    anchors: Array.from(document.querySelectorAll('nav a')).filter((a) => !document.querySelector(a.getAttribute('href'))).length,
    captionless: Array.from(document.querySelectorAll('table')).filter((table) => !table.caption).length,
  };
})()"""

CONTRAST = """(() => {
  const parse = (text) => { const parts = text.match(/[\\d.]+/g).map(Number); return parts.length < 4 ? [...parts, 1] : parts; };
  const light = ([r, g, b]) => { const [x, y, z] = [r, g, b].map((c) => { c /= 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; }); return 0.2126 * x + 0.7152 * y + 0.0722 * z; };
  const under = (node) => { for (; node; node = node.parentElement) { const c = parse(getComputedStyle(node).backgroundColor); if (c[3] === 1) return c; } return [255, 255, 255, 1]; };
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
  const low = new Map();
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = walk.nextNode(); text; text = walk.nextNode()) {
    const node = text.parentElement;
    if (!text.data.trim() || ['SCRIPT', 'STYLE', 'OPTION'].includes(node.tagName) || !node.getClientRects().length) continue;
    const style = getComputedStyle(node);
    const inChart = node.closest('svg');
    if (inChart && !(style.fill || '').startsWith('rgb')) continue;
    const value = ratio(parse(inChart ? style.fill : style.color), under(inChart ? inChart.parentElement : node));
    if (value < 4.5) low.set(`${node.tagName}.${node.className.baseVal ?? node.className}: ${text.data.trim().slice(0, 30)} ${value.toFixed(2)}`, value);
  }
  return Array.from(low.keys()).slice(0, 12);
})()"""

KEYS = "Array.from(document.querySelectorAll('.key'), (key) => key.textContent)"
CHOOSE = """((name, value) => { const select = document.getElementById('filter-' + name); select.value = value;
  select.dispatchEvent(new Event('change', { bubbles: true })); })"""
INTERACTIVE = """(() => { const data = JSON.parse(document.getElementById('data').textContent); const s = data.sessions;
  const total = (keep) => s.sessions.reduce((sum, value, at) => sum + (keep(at) ? value : 0), 0);
  return { all: total(() => true), bot: total((at) => s.bot[at] === 1), both: total((at) => s.bot[at] === 1 && s.channel[at] === 0) }; })()"""


def common(browser, name, path, opened):
    print(f"{name}: {path.stat().st_size / 1e6:.2f} MB, open in {opened:.1f} s")
    expect(browser.run("document.documentElement.dataset.ready === 'true'"), f"{name}: the script ran to its end")
    expect(path.stat().st_size < 3_000_000, f"{name}: under 3 MB")
    charts = browser.run(CHARTS)
    for chart in charts:
        expect(chart["marks"] >= 3 and chart["texts"] >= 1 and chart["width"] > 200 and chart["height"] > 60,
               f"{name}: chart draws", chart)
        expect(chart["label"] > 20, f"{name}: chart has words for a screen reader", chart)
    structure = browser.run(STRUCTURE)
    wrong = {key: value for key, value in structure.items() if value not in (0, [], "en") and (key, value) != ("h1", 1)}
    expect(not wrong, f"{name}: landmarks, headings and labels", wrong)
    return charts


def check_report(browser, path):
    opened = browser.open(path)
    charts = common(browser, "report", path, opened)
    expect(len(charts) >= 14, "report: as many charts as there are", len(charts))
    expect(not browser.run("document.querySelectorAll('.nothing').length"), "report: no figure is empty")
    for table in browser.run(TABLES):
        expect(table is None or (table["rows"] > 0 and table["caption"]), "report: numbers under each chart", table)
    browser.run("document.querySelectorAll('details').forEach((details) => { details.open = false; })")

    # The pointer shows values, and of how many.
    for at, chart in enumerate(charts):
        spots = browser.run(f"""(() => {{
          const chart = document.querySelectorAll('[data-chart]')[{at}];
          chart.scrollIntoView({{ block: 'center', behavior: 'instant' }});
          const marks = Array.from(chart.querySelectorAll('svg path, svg rect')).filter((mark) => {{
            const [fill, box] = [mark.getAttribute('fill'), mark.getBoundingClientRect()];
            return fill && fill !== 'none' && fill !== 'transparent' && box.width > 4 && box.height > 4;
          }});
          const middle = (node) => {{ const box = node.getBoundingClientRect(); return {{ x: box.x + box.width / 2, y: box.y + box.height / 2 }}; }};
          return [chart, ...marks.slice(Math.floor(marks.length / 2)), ...marks].slice(0, 40).map(middle);
        }})()""")
        text = ""
        for spot in spots:
            browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=spot["x"] - 1, y=spot["y"])
            browser.call("Input.dispatchMouseEvent", type="mouseMoved", **spot)
            time.sleep(0.05)
            text = browser.run(f"(document.querySelectorAll('[data-chart]')[{at}].querySelector('.tip') || {{}}).textContent || ''")
            if text:
                break
        expect(any(c.isdigit() for c in text), "report: hovering shows values", (chart["title"], text))
    expect(not browser.troubles(), "report: nothing on the console", browser.troubles()[:5])

    # Filters reach what has their columns, and say where they do not.
    sums = browser.run(INTERACTIVE)
    grouped = lambda value: f"{value:,}"
    before = browser.run(KEYS)
    expect(grouped(sums["all"]) in before[0], "report: conversations of all", before[0])
    browser.run(f"{CHOOSE}('bot', '1')")
    after = browser.run(KEYS)
    expect(grouped(sums["bot"]) in after[0] and sums["bot"] != sums["all"], "report: the filter by bot counts one bot", after[0])
    expect(len([1 for a, b in zip(before, after) if a != b]) >= 5, "report: the filter by bot reaches the key figures", after)
    browser.run(f"{CHOOSE}('channel', '0')")
    expect(grouped(sums["both"]) in browser.run(KEYS)[0], "report: both filters together", browser.run(KEYS)[0])
    notices = browser.run("Array.from(document.querySelectorAll('.notice'), (node) => node.textContent).filter(Boolean)")
    expect(len(notices) >= 5 and all("Not filtered by" in text for text in notices), "report: says where a filter does not reach", notices)
    common(browser, "report, filtered", path, 0)
    browser.run(f"{CHOOSE}('bot', '-1'); {CHOOSE}('channel', '-1')")
    expect(browser.run(KEYS) == before, "report: filters can be taken back")

    # Switches, long lists, theme.
    browser.run("document.querySelectorAll('.switch button:last-child').forEach((button) => button.click())")
    browser.run("document.querySelectorAll('.more').forEach((button) => button.click())")
    expect(not browser.run("document.querySelectorAll('.more').length"), "report: long lists open")
    for scheme in ("light", "dark"):
        browser.open(path, scheme=scheme)
        expect(browser.run("document.documentElement.dataset.theme") == scheme, f"report: follows the system's {scheme} theme")
        low = browser.run(CONTRAST)
        expect(not low, f"report: contrast in the {scheme} theme", low)
    browser.run("Array.from(document.querySelectorAll('.bar button')).pop().click()")
    expect(browser.run("document.documentElement.dataset.theme") == "light", "report: the theme can be changed")

    # By keyboard alone: the first stop skips to the figures, and each stop can be seen.
    browser.open(path)
    stops = []
    for _ in range(14):
        for kind in ("rawKeyDown", "keyUp"):
            browser.call("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
        stops.append(browser.run("""(() => { const node = document.activeElement; const style = getComputedStyle(node); const box = node.getBoundingClientRect();
          return { name: node.tagName + ' ' + node.textContent.slice(0, 24), seen: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 && box.right > 0 && box.width > 0 }; })()"""))
    expect("Skip" in stops[0]["name"], "report: the first stop of the keyboard skips", stops[0])
    expect(all(stop["seen"] for stop in stops), "report: focus can be seen", [stop for stop in stops if not stop["seen"]])
    expect(any("SELECT" in stop["name"] for stop in stops), "report: filters are reached by keyboard", stops)

    # On a telephone nothing is wider than the screen.
    browser.open(path, width=390, height=800)
    expect(browser.run("document.documentElement.scrollWidth <= 390"), "report: fits a narrow screen",
           browser.run("document.documentElement.scrollWidth"))
    expect(not browser.troubles(), "report: nothing on the console of a narrow screen", browser.troubles()[:5])


def check_hostile(browser, path):
    opened = browser.open(path)
    common(browser, "hostile", path, opened)
    for table in browser.run(TABLES):
        expect(table is None or table["rows"] > 0, "hostile: numbers under each chart", table)
    browser.run("document.querySelectorAll('.more').forEach((button) => button.click())")
    # Every mark of every chart is passed over, so that every tooltip is made.
    browser.run("""document.querySelectorAll('[data-chart]').forEach((chart) => {
      const box = chart.getBoundingClientRect();
      for (let x = 10; x < box.width; x += 40) for (let y = 10; y < box.height; y += 24) for (const type of ['mousemove', 'mouseover'])
        (chart.querySelector('svg') || chart).dispatchEvent(new MouseEvent(type, { bubbles: true, clientX: box.x + x, clientY: box.y + y, zrX: x, zrY: y }));
    })""")
    time.sleep(0.3)
    for choice in ("0", "1", "-1"):
        browser.run(f"for (const name of ['bot', 'channel']) if (document.getElementById('filter-' + name)) {CHOOSE}(name, '{choice}')")
    expect(browser.run("typeof window.pwned === 'undefined'"), "hostile: nothing of it ran")
    expect(browser.run("document.querySelectorAll('script').length") == 3, "hostile: no script was added")
    strange = browser.run("""Array.from(document.querySelectorAll('img, iframe, object, embed, form, base, link:not([rel=icon]), style ~ style, b[onmouseover], svg [onload], i')).filter((node) => !node.closest('[data-chart] > div > svg')).map((node) => node.outerHTML.slice(0, 80))""")
    expect(not strange, "hostile: no element came of it", strange)
    expect(not browser.run("""Array.from(document.querySelectorAll('*')).some((node) => Array.from(node.attributes).some(({ name }) => name.startsWith('on')))"""), "hostile: no handler came of it")
    text = browser.run("document.querySelector('main').textContent")
    for part in ("</script><script>window.pwned=1</script>", "<img src=x onerror=window.pwned=1>", "{{constructor", "&lt;script&gt;"):
        expect(part in text, "hostile: the text is there, as text", part)
    expect("\u202e" not in text, "hostile: nothing turns the direction of the page")
    expect(not browser.troubles(), "hostile: nothing on the console", browser.troubles()[:5])


def check_print(browser, path):
    browser.open(path)
    browser.run("dispatchEvent(new Event('beforeprint'))")
    browser.media("light", "print")
    wrong = browser.run("""Array.from(document.querySelectorAll('[data-chart]'), (chart) => {
      const svg = chart.querySelector('svg');
      return { title: chart.closest('figure').querySelector('h3').textContent, width: svg.clientWidth - chart.clientWidth, height: svg.clientHeight - chart.clientHeight };
    }).filter(({ width, height }) => Math.abs(width) > 2 || Math.abs(height) > 2)""")
    expect(not wrong, "report: charts are as large as their place on paper", wrong)
    browser.open(path)
    pdf = base64.b64decode(browser.call("Page.printToPDF", printBackground=False, preferCSSPageSize=True)["data"])
    pages = pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page/") + pdf.count(b"/Type /Page ")
    expect(len(pdf) > 50_000 and 4 <= pages <= 30, "report: prints", (len(pdf), pages))
    print(f"print: {pages} pages")
    expect(not browser.troubles(), "print: nothing on the console", browser.troubles()[:5])


def take_screenshots(browser, path, folder, whole):
    def shoot(name, section, height):
        top = browser.run(f"(document.getElementById('{section}') || document.body).getBoundingClientRect().top + scrollY") if section else 0
        width = browser.run("innerWidth")
        clip = None if whole else {"x": 0, "y": top, "width": width, "height": height}
        browser.screenshot(folder / f"report-{name}.png", clip)

    browser.open(path)
    shoot("light", None, 2060)
    browser.open(path, scheme="dark")
    shoot("dark", "speed", 2060)
    browser.open(path, width=690, height=1000)
    browser.run("dispatchEvent(new Event('beforeprint'))")
    browser.media("light", "print")
    shoot("print", "failures", 1000)


def make_pages(folder):
    command = ["cargo", "test", "--quiet", "--locked", "-p", "korpus-analytics", "--lib", "report::tests::pages"]
    subprocess.run(command, cwd=ROOT, env=dict(os.environ, KORPUS_REPORT_DIR=str(folder)), check=True,
                   stdout=subprocess.DEVNULL)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--install", action="store_true")
    parser.add_argument("--pages", type=pathlib.Path)
    parser.add_argument("--screenshots", type=pathlib.Path)
    parser.add_argument("--whole", action="store_true")
    arguments = parser.parse_args()
    path = find_chromium(arguments.install)
    if not path:
        print("skipped: no Chromium here (set CHROMIUM to its path, or install Debian's package chromium)")
        return 0
    try:
        browser = Browser(path)
    except (OSError, EOFError, TimeoutError) as error:
        print(f"skipped: {path} does not start here: {error}")
        return 0
    try:
        return check(browser, arguments)
    finally:
        browser.close()


def check(browser, arguments):
    with tempfile.TemporaryDirectory(prefix="korpus-report-") as made:
        pages = arguments.pages or pathlib.Path(made)
        if not arguments.pages:
            make_pages(pages)
        check_report(browser, pages / "report.html")
        check_hostile(browser, pages / "hostile.html")
        for name in ("empty", "huge"):
            page = pages / f"{name}.html"
            common(browser, name, page, browser.open(page))
            expect(not browser.troubles(), f"{name}: nothing on the console", browser.troubles()[:5])
        check_print(browser, pages / "report.html")
        if arguments.screenshots:
            take_screenshots(browser, pages / "report.html", arguments.screenshots, arguments.whole)
    print(f"{len(FAILURES)} failed" if FAILURES else "the report is as it should be")
    return 1 if FAILURES else 0


if __name__ == "__main__":
    sys.exit(main())
