#!/usr/bin/env python3
"""Draws monitoring/dashboards/stc.json without Grafana: sends every panel's queries to a Prometheus and draws the answers.

    scripts/draw-dashboard.py PROMETHEUS OUTPUT [--minutes N]

PROMETHEUS is an address such as http://127.0.0.1:9090 (`stc monitor RUN` prints it). OUTPUT is a page (.html) or a picture
(.png, drawn by headless Chromium). N is how many minutes it looks back, 15 by default. Needs only Python's standard library.
"""
import argparse
import html
import json
import math
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

DASHBOARD = pathlib.Path(__file__).resolve().parent.parent / 'monitoring/dashboards/stc.json'
COLORS = ['#2563eb', '#d97706', '#059669', '#db2777', '#7c3aed', '#64748b', '#0891b2', '#b91c1c']
COLUMN, ROW, GAP = 66, 30, 8  # pixels of the grid of 24 columns

STYLE = '''
body { margin: 0; background: #f3f4f6; color: #1c2330; font: 13px system-ui, sans-serif; }
main { position: relative; }
.panel { position: absolute; box-sizing: border-box; background: #fff; border: 1px solid #dfe3e8; border-radius: 4px; padding: 6px 8px; overflow: hidden; }
.row { position: absolute; font-size: 16px; font-weight: 600; }
h2 { margin: 0 0 2px; font-size: 13px; }
.legend { position: absolute; left: 8px; right: 8px; bottom: 4px; height: 32px; overflow: hidden; color: #667085; font-size: 11px; line-height: 16px; }
.legend i { display: inline-block; width: 10px; height: 3px; margin-right: 4px; vertical-align: middle; }
.legend span { margin-right: 10px; white-space: nowrap; }
.stat { font-size: 30px; font-weight: 600; margin: 28px 0 0; text-align: center; }
.stat small { display: block; font-size: 11px; font-weight: 400; color: #667085; }
.none { color: #667085; text-align: center; margin-top: 70px; }
svg { display: block; } svg text { fill: #667085; font-size: 10px; } svg line { stroke: #eceff3; }
svg path { fill: none; stroke-width: 1.4; }
'''


def ask(prometheus, path, **parameters):
    address = f'{prometheus.rstrip("/")}/api/v1/{path}?{urllib.parse.urlencode(parameters)}'
    try:
        with urllib.request.urlopen(address, timeout=30) as answer:
            return json.load(answer)['data']
    except urllib.error.HTTPError as error:
        sys.exit(f'{prometheus} rejects {parameters.get("query", path)}: {error.read().decode(errors="replace")}')
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f'{prometheus} does not answer like a Prometheus server: {error}')


def scrape_interval(prometheus):
    config = ask(prometheus, 'status/config')['yaml']
    found = re.search(r'scrape_interval: (\d+)(s|m)', config)
    return int(found[1]) * (60 if found[2] == 'm' else 1) if found else 60


def with_unit(value, unit):
    if unit == 'percentunit':
        return f'{100 * value:.3g} %'
    if unit == 's' and abs(value) >= 120:
        return f'{value / 60:.3g} min'
    if unit == 's' and 0 < abs(value) < 1:
        return f'{1000 * value:.3g} ms'
    if unit in ('bytes', 'Bps') and abs(value) >= 1024:
        power = min(int(math.log(abs(value), 1024)), 4)
        return f'{value / 1024 ** power:.3g} {"KMGT"[power - 1]}iB' + ('/s' if unit == 'Bps' else '')
    short = f'{value:.4g}' if abs(value) < 1e4 else f'{value:,.0f}'
    return short + {'s': ' s', 'bytes': ' B', 'Bps': ' B/s'}.get(unit, '')


def ticks(low, high):
    """About four round numbers from low to high."""
    raw = (high - low) / 4
    size = 10 ** math.floor(math.log10(raw))
    step = size * next(factor for factor in (1, 2, 5, 10) if size * factor >= raw)
    first = math.ceil(low / step - 1e-9)
    return [step * i for i in range(first, first + 12) if step * i <= high + 1e-9 * step]


def legend_of(target, labels):
    return re.sub(r'{{\s*(\w+)\s*}}', lambda name: labels.get(name[1], ''), target.get('legendFormat', '')).strip()


class Window:
    def __init__(self, prometheus, minutes):
        self.prometheus = prometheus
        self.scrape = scrape_interval(prometheus)
        self.end = time.time()
        self.begin = self.end - 60 * minutes
        self.step = max(self.scrape, (self.end - self.begin) / 300)

    def series(self, panel):
        """(legend, [(time, value), ...]) of all queries of a panel, with Grafana's variables filled in as Grafana does."""
        for target in panel['targets']:
            query = target['expr'].replace('$run', '.*')
            query = query.replace('$__rate_interval', f'{math.ceil(max(self.step + self.scrape, 4 * self.scrape))}s')
            answer = ask(self.prometheus, 'query_range', query=query, start=self.begin, end=self.end, step=self.step)
            for result in answer['result']:
                points = [(float(when), float(value)) for when, value in result['values']]
                points = [point for point in points if math.isfinite(point[1])]
                if points:
                    yield legend_of(target, result['metric']), points


def chart(series, unit, window, width, height):
    values = [value for _, points in series for _, value in points]
    low, high = min(values), max(values)
    low = min(low, 0) if low < 0.5 * high or unit == 'percentunit' else low
    if high - low < 1e-12:
        low, high = low - 0.5 * (abs(low) or 1), high + 0.5 * (abs(high) or 1)
    left, bottom, top = 62, 18, 6
    begin = min(points[0][0] for _, points in series)

    def x(when):
        return left + (when - begin) / (window.end - begin) * (width - left - 4)

    def y(value):
        return top + (high - value) / (high - low) * (height - top - bottom)

    parts = [f'<svg width="{width}" height="{height}">']
    scale = 1024 ** max(math.floor(math.log(high, 1024)), 0) if unit in ('bytes', 'Bps') else 1
    for tick in (scale * tick for tick in ticks(low / scale, high / scale)):
        parts.append(f'<line x1="{left}" x2="{width}" y1="{y(tick):.1f}" y2="{y(tick):.1f}"/>'
                     f'<text x="{left - 5}" y="{y(tick) + 3:.1f}" text-anchor="end">{with_unit(tick, unit)}</text>')
    for tick in ticks((begin - window.end) / 60, 0):
        now = abs(tick) < 1e-6
        parts.append(f'<text x="{x(window.end + 60 * tick):.1f}" y="{height - 4}" text-anchor="{"end" if now else "middle"}">'
                     f'{"now" if now else f"{tick:.3g} min"}</text>')
    for i, (_, points) in enumerate(series):
        path, last = '', None
        for when, value in points:
            gap = last is None or when - last > 2.5 * window.step
            path += f'{"M" if gap else "L"}{x(when):.1f} {y(value):.1f}'
            last = when
        parts.append(f'<path d="{path}" stroke="{COLORS[i % len(COLORS)]}"/>')
    return ''.join(parts) + '</svg>'


def draw(panel, window):
    place = panel['gridPos']
    width, height = place['w'] * COLUMN - GAP, place['h'] * ROW - GAP
    box = f'style="left:{place["x"] * COLUMN}px;top:{place["y"] * ROW}px;width:{width}px;height:{height}px"'
    title = html.escape(panel['title'])
    if panel['type'] == 'row':
        return f'<div class="row" {box}>{title}</div>'
    defaults = panel['fieldConfig']['defaults']
    unit = defaults.get('unit', 'short')
    series = list(window.series(panel))
    if not series:
        body = f'<div class="none">{html.escape(defaults.get("noValue", "No data"))}</div>'
    elif panel['type'] == 'stat':
        body = ''.join(f'<div class="stat">{with_unit(points[-1][1], unit)}<small>{html.escape(name)}</small></div>'
                       for name, points in series)
    else:
        body = chart(series, unit, window, width - 18, height - 66)
        body += '<div class="legend">' + ''.join(
            f'<span><i style="background:{COLORS[i % len(COLORS)]}"></i>{html.escape(name)}</span>'
            for i, (name, _) in enumerate(series)) + '</div>'
    return f'<div class="panel" {box}><h2>{title}</h2>{body}</div>'


def page_of(window):
    panels = json.loads(DASHBOARD.read_text())['panels']
    height = ROW * max(panel['gridPos']['y'] + panel['gridPos']['h'] for panel in panels)
    page = ''.join(draw(panel, window) for panel in panels)
    width = 24 * COLUMN
    return (f'<!doctype html><meta charset="utf-8"><title>stc</title><style>{STYLE}</style>'
            f'<main style="margin:8px;width:{width}px;height:{height}px">{page}</main>'), width + 16, height + 16


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('prometheus')
    parser.add_argument('output', type=pathlib.Path)
    parser.add_argument('--minutes', type=float, default=15)
    arguments = parser.parse_args()
    if arguments.output.suffix not in ('.html', '.png'):
        parser.error(f'{arguments.output}: expected a file name ending in .html or .png')
    page, width, height = page_of(Window(arguments.prometheus, arguments.minutes))
    if arguments.output.suffix == '.html':
        arguments.output.write_text(page)
        return
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / 'dashboard.html'
        file.write_text(page)
        done = subprocess.run(['chromium', '--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars',
                               f'--user-data-dir={folder}/profile', f'--window-size={width},{height}',
                               f'--screenshot={arguments.output.resolve()}', file.as_uri()], capture_output=True, text=True)
        if done.returncode != 0 or not arguments.output.exists():
            sys.exit(f'chromium could not draw the picture: {done.stderr}')


if __name__ == '__main__':
    main()
