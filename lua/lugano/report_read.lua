--- report_read.lua - the page's own script, first part: what is kept in the address, and
-- the runs as the page has them.

return [=[
  "use strict";

  // What was chosen is in the address behind the #: so a page that is read again, and a
  // link that is sent, show the same.
  const state = (() => {
    const values = new URLSearchParams(location.hash.slice(1));
    const keep = () => {
      const text = values.toString();
      try {
        history.replaceState(null, "", text ? "#" + text : location.href.split("#")[0]);
      } catch (e) { /* a viewer that allows none: then nothing is kept */ }
    };
    return {
      get: name => values.get(name),
      set(name, value) {
        if (value === null) values.delete(name); else values.set(name, value);
        keep();
      },
    };
  })();

  const escaped = text => String(text).replace(/[&<>"']/g, c => `&#${c.charCodeAt(0)};`);
  const list = x => Array.isArray(x) ? x : [];

  // Four digits are what an eye compares.
  const shortNumber = x => {
    if (x === null || x === undefined || Number.isNaN(x)) return "nan";
    if (x === 0) return "0";
    const size = Math.abs(x);
    if (size >= 1e6 || size < 1e-4) return x.toExponential(2).replace("e+", "e");
    return String(Number(x.toPrecision(4)));
  };
  const stepText = s => String(Math.round(s)).replace(/\B(?=(\d{3})+$)/g, ",");
  const timeText = t => {
    const s = Math.round(t), two = n => String(n).padStart(2, "0");
    const h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60;
    return h ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
  };

  // Lines of metrics: rows in the order of steps, a series for each name. A line that is
  // no JSON, cut by a crash, is left out; null stands for not-a-number. The time of a run
  // that was resumed goes on where it was.
  const readMetrics = text => {
    const rows = [], alarms = [], series = new Map();
    let before = 0, offset = 0;
    for (const line of text.split("\n")) {
      let row;
      try { row = JSON.parse(line); } catch (e) { continue; }
      if (row === null || typeof row.step !== "number") continue;
      if (typeof row.alarm === "string") { alarms.push(row); continue; }
      const { step, epoch, time, ...values } = row, at = rows.length;
      if (typeof time === "number") {
        if (time < before) offset += before;
        before = time;
      }
      rows.push({ step, epoch, time: typeof time === "number" ? time + offset : NaN });
      for (const [name, value] of Object.entries(values)) {
        if (value !== null && typeof value !== "number") continue;
        if (!series.has(name)) series.set(name, { at: [], y: [] });
        series.get(name).at.push(at);
        series.get(name).y.push(value === null ? NaN : value);
      }
    }
    return { rows, alarms, series };
  };

  const runs = [...document.querySelectorAll("script.run")].map((node, index) => {
    const run = JSON.parse(node.textContent);
    const part = name => document.getElementById(`${name}${index + 1}`).textContent;
    const data = part("pictures").trim().split("\n");
    run.pictures = list(run.pictures).map((p, i) =>
      ({ ...p, source: "data:image/png;base64," + data[i] }));
    return Object.assign(run, readMetrics(part("metrics")), { index });
  });
  const many = runs.length > 1;
  const color = i => `var(--s${i % 8})`;
]=]
