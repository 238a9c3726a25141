--- report_style.lua - how a report looks: on light and on dark, on a phone, on paper.

return [=[
  :root { color-scheme: light dark;
    --ground: #f6f6f4; --card: #ffffff; --ink: #1c1d20; --soft: #696b72; --line: #e3e3df;
    --accent: #2763c4; --alarm: #c22f3d; --alarm-ground: #fdf0f0; --good: #23845a;
    --s0: #2f6fd0; --s1: #d9702b; --s2: #23916a; --s3: #b8488f;
    --s4: #7a58c2; --s5: #a88408; --s6: #1593a8; --s7: #8a5a44; }
  @media (prefers-color-scheme: dark) { :root {
    --ground: #131417; --card: #1b1d21; --ink: #e7e8ea; --soft: #999ca4; --line: #2e3137;
    --accent: #7fabf5; --alarm: #f0808a; --alarm-ground: #2b1b1e; --good: #5cc596;
    --s0: #6ea3f2; --s1: #f0985c; --s2: #55c095; --s3: #e183bd;
    --s4: #a98df0; --s5: #d6b343; --s6: #4fc3d6; --s7: #c39580; } }
  * { box-sizing: border-box; }
  body { margin: 0; background: var(--ground); color: var(--ink);
    font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
    font-variant-numeric: tabular-nums; -webkit-text-size-adjust: 100%; }
  main { max-width: 1120px; margin: 0 auto; padding: 28px 20px 48px; }
  h1 { font-size: 26px; line-height: 1.2; font-weight: 650; letter-spacing: -0.01em;
    margin: 0; overflow-wrap: anywhere; }
  h2 { font-size: 17px; font-weight: 620; margin: 36px 0 12px; }
  h3 { font-size: 13px; font-weight: 620; margin: 0; }
  a { color: var(--accent); }
  button, input, select { font: inherit; color: inherit; accent-color: var(--accent); }
  button { background: none; border: 1px solid var(--line); border-radius: 7px;
    padding: 3px 10px; cursor: pointer; }
  button:hover { border-color: var(--soft); }
  button[aria-pressed="true"] { border-color: var(--accent); color: var(--accent); }
  :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
  [hidden] { display: none !important; }

  .top { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 12px; }
  .state { font-size: 13px; padding: 1px 9px; border-radius: 99px;
    border: 1px solid var(--line); color: var(--soft); }
  .state.on { color: var(--good); border-color: currentColor; }
  .state.on::before { content: ""; display: inline-block; width: 7px; height: 7px;
    border-radius: 50%; background: currentColor; margin-right: 6px; }
  .live { margin-left: auto; font-size: 13px; color: var(--soft); }
  .facts { color: var(--soft); margin: 4px 0 0; padding: 0; list-style: none;
    display: flex; flex-wrap: wrap; }
  .facts li:not(:last-child)::after { content: "\00b7"; margin: 0 8px; }
  .note, noscript { color: var(--soft); font-size: 13px; margin: 8px 0 0; }

  .alarms { margin: 20px 0 0; padding: 12px 16px; border-radius: 10px; list-style: none;
    background: var(--alarm-ground);
    border: 1px solid color-mix(in srgb, var(--alarm) 35%, transparent); }
  .alarms li + li { margin-top: 6px; }
  .alarms b { color: var(--alarm); font-weight: 620; }
  .alarms span { color: var(--soft); font-size: 13px; margin-left: 6px; }

  .card { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
    padding: 14px 16px; }
  .bar { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 16px; }
  .bar h2 { margin: 0; flex: 1 1 auto; }
  section { margin-top: 36px; }
  section > .bar { margin-bottom: 12px; }
  .bar label, .bar .tabs { font-size: 13px; color: var(--soft); }
  .tabs { display: inline-flex; flex-wrap: wrap; gap: 6px; }

  .views { display: flex; flex-wrap: wrap; gap: 16px; justify-content: center; }
  .views figure { flex: 1 1 220px; max-width: 440px; }
  .views.one figure { max-width: 560px; }
  .views figure { margin: 0; min-width: 0; }
  .views img { display: block; width: 100%; border-radius: 6px; background: var(--line); }
  .views img.sharp { image-rendering: pixelated; }
  .views figcaption { font-size: 13px; color: var(--soft); margin-top: 6px; }
  .views figcaption b { color: var(--ink); font-weight: 600; }
  .player { display: flex; align-items: center; gap: 12px; margin: 14px auto 0;
    max-width: 760px; }
  .player input { flex: 1; min-width: 0; }
  .player button { width: 40px; padding: 3px 0; flex: none; }
  .player output { font-size: 13px; color: var(--soft); min-width: 8.5em; }
  .strip { display: flex; gap: 6px; overflow-x: auto; margin-top: 14px; padding: 3px;
    justify-content: safe center; }
  .strip button { flex: 1 0 74px; max-width: 104px; padding: 0; border-width: 2px;
    overflow: hidden; font-size: 11px; color: var(--soft); line-height: 1.7;
    border-color: transparent; }
  .strip button[aria-pressed="true"] { border-color: var(--accent); }
  .strip span { display: block; overflow: hidden; aspect-ratio: 1; border-radius: 4px; }
  .strip img { display: block; width: 200%; }          /* a quarter is seen better */

  .charts { display: grid; gap: 16px;
    grid-template-columns: repeat(auto-fit, minmax(min(100%, 460px), 1fr)); }
  .chart { margin: 0; min-width: 0; padding-bottom: 8px; }
  .chart:first-child:nth-last-child(odd) { grid-column: 1 / -1; }
  .chart header { display: flex; align-items: baseline; gap: 10px; }
  .chart header h3 { flex: 1; overflow-wrap: anywhere; }
  .chart header button { font-size: 12px; padding: 0 8px; }
  .keys { display: flex; flex-wrap: wrap; gap: 0 14px; margin: 4px 0 6px; }
  .keys button { border: 0; padding: 1px 0; font-size: 13px; text-align: left;
    display: inline-flex; align-items: baseline; gap: 6px; color: var(--soft);
    overflow-wrap: anywhere; }
  .keys i { width: 10px; height: 3px; border-radius: 2px; flex: none;
    align-self: center; }
  .keys b { color: var(--ink); font-weight: 500; }
  .keys button[aria-pressed="false"] { opacity: 0.4; text-decoration: line-through; }
  .chart svg { display: block; width: 100%; height: auto; touch-action: pan-y;
    cursor: crosshair; }
  svg text { fill: var(--soft); font-size: 11px; }
  svg .grid { stroke: var(--line); }
  svg .curve { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
  svg .curve.raw { opacity: 0.2; stroke-width: 0.8; }
  svg .gap { fill: var(--alarm); opacity: 0.13; }
  svg .alarm { stroke: currentColor; stroke-dasharray: 3 3; }
  svg .flag { fill: currentColor; }
  svg .shown { stroke: var(--accent); opacity: 0.45; }
  svg .cross { stroke: var(--soft); }

  .scroll { overflow-x: auto; }
  table { border-collapse: collapse; font-size: 14px; width: 100%; }
  th, td { text-align: left; padding: 4px 16px 4px 0; vertical-align: top;
    border-top: 1px solid var(--line); overflow-wrap: anywhere; }
  tr:first-child > * { border-top: 0; }
  th { font-weight: 400; color: var(--soft); white-space: nowrap; }
  thead th { color: var(--ink); font-weight: 600; }
  thead + tbody tr:first-child > * { border-top: 1px solid var(--line); }
  td.none { color: var(--soft); }
  .run i { display: inline-block; width: 10px; height: 10px; border-radius: 3px;
    margin-right: 7px; }
  .pair { display: grid; gap: 16px; align-items: start;
    grid-template-columns: repeat(auto-fit, minmax(min(100%, 380px), 1fr)); }
  .pair h3 { margin-bottom: 8px; }
  details { margin-top: 12px; }
  summary { cursor: pointer; font-weight: 600; font-size: 14px; }
  pre { overflow-x: auto; font: 12.5px/1.5 ui-monospace, Menlo, Consolas, monospace;
    margin: 10px 0 0; }
  footer { margin-top: 44px; color: var(--soft); font-size: 13px; }

  @media (max-width: 560px) {
    main { padding: 20px 12px 36px; }
    .card { padding: 12px; }
    .live { margin-left: 0; }
    .player output { min-width: 0; } }
  @media print {
    :root { --ground: #fff; --card: #fff; --ink: #000; --soft: #555; --line: #ccc; }
    main { max-width: none; padding: 0; }
    .live, .player, .bar label, .chart header button { display: none; }
    .card, figure, tr { break-inside: avoid; }
    .charts { grid-template-columns: 1fr 1fr; }
    .strip button { flex: 1 1 0; }
    .views.one figure { max-width: 320px; } }
]=]
