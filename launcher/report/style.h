// The style sheet of the report: light and dark, wide and narrow.
#pragma once

namespace stc::launcher {

inline constexpr char kReportStyle[] = R"css(
:root { color-scheme: light dark; --ink: #1c2330; --soft: #667085; --paper: #f6f7f9; --card: #fff; --line: #e3e6eb; --best: #e3f3e6;
  --c0: #2563eb; --c1: #d97706; --c2: #059669; --c3: #db2777; --c4: #7c3aed; --c5: #64748b; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ef; --soft: #98a2b3; --paper: #14171c; --card: #1d2128; --line: #323843; --best: #1d3a28;
    --c0: #6ea8fe; --c1: #fbbf6b; --c2: #4ade9f; --c3: #f78ac0; --c4: #b79bff; --c5: #a3afc0; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 20px 16px 60px; }
h1 { font-size: 24px; margin: 8px 0 16px; }
h2 { font-size: 19px; margin: 0 0 12px; overflow-wrap: anywhere; }
h3 { font-size: 15px; margin: 20px 0 8px; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 18px; margin: 0 0 18px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 5px 12px; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
thead th { color: var(--soft); font-weight: 600; font-size: 13px; line-height: 1.3; white-space: normal; vertical-align: bottom; }
th:first-child { text-align: left; padding-left: 0; font-weight: 600; }
td.best { background: var(--best); font-weight: 700; }
tbody th:first-child { white-space: normal; min-width: 110px; }
td.text { text-align: left; min-width: 170px; white-space: normal; overflow-wrap: anywhere; }
.names thead th { text-align: left; } .names td { vertical-align: top; } .names tbody th { vertical-align: top; }
.facts th { color: var(--soft); font-size: 13px; }
.note { color: var(--soft); font-size: 13px; margin: 8px 0; overflow-wrap: anywhere; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(340px, 100%), 1fr)); gap: 16px; }
figure { margin: 0; min-width: 0; }
figure.wide { margin: 18px 0 0; }
figcaption { font-weight: 600; font-size: 14px; margin-bottom: 4px; display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 12px; }
figcaption b { font-variant-numeric: tabular-nums; }
figcaption span { color: var(--soft); font-weight: 400; font-size: 13px; }
svg { width: 100%; height: auto; display: block; }
figure.spread svg { max-width: 640px; }
svg text { fill: var(--soft); font-size: 11px; }
svg text.name { fill: var(--ink); font-size: 13px; }
svg .grid { stroke: var(--line); }
svg polyline { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
svg .band { opacity: .18; stroke: none; }
svg .mean { stroke-width: 4; }
svg circle { opacity: .6; }
.c0 { --c: var(--c0); } .c1 { --c: var(--c1); } .c2 { --c: var(--c2); } .c3 { --c: var(--c3); } .c4 { --c: var(--c4); } .c5 { --c: var(--c5); }
svg polyline, svg .mean { stroke: var(--c); } svg .band, svg circle { fill: var(--c); }
.legend { display: flex; flex-wrap: wrap; gap: 2px 14px; font-size: 13px; color: var(--soft); }
.legend i { display: inline-block; width: 12px; height: 3px; background: var(--c); margin-right: 6px; vertical-align: middle; }
details { margin-top: 12px; border-top: 1px solid var(--line); padding-top: 10px; }
summary { cursor: pointer; font-weight: 600; overflow-wrap: anywhere; }
details > * + * { margin-top: 10px; }
pre { overflow-x: auto; background: var(--paper); border-radius: 6px; padding: 12px; font-size: 13px; margin-bottom: 0; }
img { max-width: 100%; min-width: 620px; height: auto; display: block; border-radius: 4px; }
@media (max-width: 600px) { section { padding: 14px 12px; } th, td { padding: 5px 8px; } td.text { min-width: 100px; } }
)css";

}  // namespace stc::launcher
