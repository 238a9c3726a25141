--- report_charts.lua - the page's own script, second part: curves, drawn as SVG.

return [=[
  const charts = (() => {
    const height = 210, left = 52, right = 10, top = 12, bottom = 24;
    const all = [];                  // every chart that is on the page
    let axis = "step", smooth = false, pictureStep = null;

    // Scales: t makes a value a place; lines at the ticks.
    const quantile = (sorted, p) => sorted[Math.floor(p * (sorted.length - 1))];

    const niceTicks = (lo, hi, count) => {
      const raw = (hi - lo) / Math.max(1, count);
      const base = 10 ** Math.floor(Math.log10(raw));
      const unit = [1, 2, 5, 10].find(n => n * base >= raw * 0.999) * base, ticks = [];
      for (let i = Math.ceil(lo / unit - 1e-9); i * unit <= hi + unit * 1e-9; i++)
        ticks.push(Number((i * unit).toPrecision(12)));
      ticks.digits = Math.max(0, -Math.floor(Math.log10(unit) + 1e-9));
      return ticks;
    };

    const powers = (lo, hi) => {
      const ticks = [], from = Math.floor(Math.log10(lo)), to = Math.ceil(Math.log10(hi));
      const every = Math.ceil((to - from) / 6);
      for (let k = from; k <= to; k += every)
        for (const n of to - from <= 2 ? [1, 2, 5] : [1]) ticks.push(n * 10 ** k);
      return ticks.filter(x => x >= lo && x <= hi);
    };

    // Where values are not all positive, asinh is a logarithm on both sides of zero.
    const bothSides = sorted => {
      const sizes = sorted.map(Math.abs).filter(x => x > 0).sort((a, b) => a - b);
      const c = Math.max(quantile(sizes, 0.05), quantile(sizes, 1) * 1e-6);
      const lo = Math.min(0, sorted[0]), hi = Math.max(0, sorted[sorted.length - 1]);
      const up = hi > c ? powers(c, hi) : [], down = lo < -c ? powers(c, -lo) : [];
      return { lo, hi, t: x => Math.asinh(x / c),
               ticks: [...down.map(x => -x).reverse(), 0, ...up] };
    };

    const yScale = (sorted, log) => {
      let lo = sorted[0], hi = sorted[sorted.length - 1];
      if (log && lo > 0 && hi > lo)
        return { lo, hi, t: Math.log10, ticks: powers(lo / 1.001, hi * 1.001) };
      if (log && hi > lo) return bothSides(sorted);
      if (hi - lo <= Math.abs(hi) * 1e-9) {
        const room = Math.abs(hi) * 0.1 || 1;
        lo -= room; hi += room;
      }
      const room = (hi - lo) * 0.04;
      lo -= room; hi += room;
      return { lo, hi, t: x => x, ticks: niceTicks(lo, hi, 4) };
    };

    // Does most of the curve hide in a corner of its chart?
    const wantsLog = values => {
      const sizes = values.filter(Number.isFinite).map(Math.abs).filter(x => x > 0)
        .sort((a, b) => a - b);
      if (sizes.length < 10) return false;
      const positive = values.every(x => !(x <= 0));
      return positive ? quantile(sizes, 0.99) > 100 * quantile(sizes, 0.01)
                      : quantile(sizes, 1) > 300 * quantile(sizes, 0.5);
    };

    // An exponential mean over a fiftieth of the curve, without the bias of its start
    // (Kingma and Ba 2015, section 3).
    const smoothed = y => {
      const keep = 1 - 1 / Math.max(4, y.length / 50);
      let mean = 0, weight = 0;
      return y.map(x => {
        if (!Number.isFinite(x)) return NaN;
        mean = keep * mean + (1 - keep) * x;
        weight = keep * weight + 1 - keep;
        return mean / weight;
      });
    };

    const xOf = s => s.at.map(i => s.run.rows[i][axis]);

    // The path of a curve. It ends where a value is none; a value alone is a dot.
    const pathOf = (xs, ys, px, py) => {
      let path = "", open = false;
      for (let i = 0; i < xs.length; i++) {
        const fine = Number.isFinite(ys[i]) && Number.isFinite(xs[i]);
        if (fine) {
          const place = `${px(xs[i]).toFixed(1)} ${py(ys[i]).toFixed(1)}`;
          const alone = !open && !Number.isFinite(ys[i + 1]);
          path += (open ? "L" : "M") + place + (alone ? "h0.1" : "");
        }
        open = fine;
      }
      return path;
    };

    const gapsOf = (xs, ys, px) => {
      let marks = "";
      for (let i = 0; i < ys.length; i++) {
        if (Number.isFinite(ys[i])) continue;
        const first = i;
        while (i + 1 < ys.length && !Number.isFinite(ys[i + 1])) i++;
        const a = px(xs[Math.max(0, first - 1)]);
        const b = px(xs[Math.min(xs.length - 1, i + 1)]);
        marks += `<rect class="gap" x="${a.toFixed(1)}" y="0" height="${height - top
          - bottom}" width="${Math.max(2, b - a).toFixed(1)}"><title>not a number</title>`
          + "</rect>";
      }
      return marks;
    };

    const stepTick = s => s >= 1e4 ? `${Number((s / 1e3).toFixed(2))}k` : String(s);

    const axes = (x0, x1, y, px, py, width) => {
      const ticks = niceTicks(x0, x1, width / 85).filter(s => s >= x0 && s <= x1);
      const digits = y.ticks.digits;                 // of a linear axis: all the same
      const tickText = v => digits > 0 && digits < 5 ? v.toFixed(digits) : shortNumber(v);
      const rows = y.ticks.filter(v => y.t(v) >= y.t(y.lo) && y.t(v) <= y.t(y.hi))
        .map(v => `<line class="grid" x1="${left}" x2="${width - right}" y1="${top
          + py(v)}" y2="${top + py(v)}"/><text x="${left - 7}" y="${top + py(v) + 4}"
          text-anchor="end">${tickText(v)}</text>`);
      const columns = ticks.map(s => {
        const at = left + px(s), edge = at > width - right - 14 ? "end" : "middle";
        return `<text x="${at}" y="${height - 6}" text-anchor="${edge}">${
          axis === "time" ? timeText(s) : stepTick(s)}</text>`;
      });
      return rows.join("") + columns.join("");
    };

    const alarmMarks = (chart, px) => {
      const xOfAlarm = (run, step) => {
        if (axis === "step") return step;
        const row = run.rows.find(r => r.step >= step) || run.rows[run.rows.length - 1];
        return row ? row.time : NaN;
      };
      let marks = "";
      for (const run of new Set(chart.series.map(s => s.run))) {
        const paint = many ? color(run.index) : "var(--alarm)";
        for (const alarm of run.alarms) {
          const x = px(xOfAlarm(run, alarm.step));
          if (!Number.isFinite(x)) continue;
          marks += `<g style="color:${paint}"><title>${escaped(alarm.alarm)}, step ${
            stepText(alarm.step)}${alarm.text ? ": " + escaped(alarm.text) : ""}</title>
            <line class="alarm" x1="${x}" x2="${x}" y1="0" y2="${height - top - bottom
            }"/><path class="flag" d="M${x - 4} 0h8l-4 6z"/></g>`;
        }
      }
      return marks;
    };

    const bodyOf = (chart, shown, px, py, width) => {
      let body = "";
      for (const s of shown) body += gapsOf(s.x, s.y, px);
      body += alarmMarks(chart, px);
      body += `<line class="shown" y1="0" y2="${height}"/>`;
      const line = (s, y, kind) => `<path class="curve ${kind}" style="stroke:${s.color}"
        data-name="${escaped(s.label)}" d="${pathOf(s.x, y, px, py)}"/>`;
      for (const s of shown) body += line(s, s.y, smooth ? "raw" : "main");
      if (smooth) for (const s of shown) body += line(s, s.mean, "main");
      return `<svg x="${left}" y="${top}" width="${width - left - right}" height="${height
        - top - bottom}" overflow="hidden">${body}</svg>`;
    };

    // What the y axis must hold: all values; where they are smoothed, all but the
    // furthest hundredth of the raw ones.
    const valuesIn = shown => {
      const sorted = values => values.filter(Number.isFinite).sort((a, b) => a - b);
      const raw = sorted(shown.flatMap(s => s.y));
      if (!smooth || raw.length < 100) return raw;
      const cut = raw.slice(Math.floor(raw.length / 100), Math.ceil(raw.length * 0.99));
      return sorted([...cut, ...shown.flatMap(s => s.mean)]);
    };

    // Where the picture is that the page shows.
    const markPicture = chart => {
      const line = chart.svg.querySelector(".shown");
      const x = pictureStep !== null && axis === "step" ? chart.px(pictureStep) : -9;
      line.setAttribute("x1", x);
      line.setAttribute("x2", x);
    };

    const draw = chart => {
      const width = Math.max(240, Math.round(chart.svg.clientWidth || 480));
      const inner = width - left - right, tall = height - top - bottom;
      for (const s of chart.series) {
        s.x = xOf(s);
        s.mean = smooth ? smoothed(s.y) : s.y;
      }
      const shown = chart.series.filter(s => !chart.hidden.has(s.label));
      const sorted = valuesIn(shown);
      const xs = shown.flatMap(s => [s.x[0], s.x[s.x.length - 1]])
        .filter(Number.isFinite);
      if (!sorted.length) sorted.push(0);
      const x0 = Math.min(...xs, Infinity), x1 = Math.max(...xs, -Infinity);
      const from = x0 > x1 * 0.1 && Number.isFinite(x0) ? x0 : 0;    // from the start
      const to = x1 > from ? x1 : from + 1;
      const y = yScale(sorted, chart.log);
      const px = x => (x - from) / (to - from) * inner;
      const py = v => tall - (y.t(v) - y.t(y.lo)) / (y.t(y.hi) - y.t(y.lo)) * tall;
      Object.assign(chart, { px, py, width, shown,
                             back: p => from + p / inner * (to - from) });
      chart.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      chart.svg.innerHTML = axes(from, to, y, px, py, width)
        + bodyOf(chart, shown, px, py, width) + '<g class="over"></g>';
      values(chart, null);
      markPicture(chart);
    };

    // The index of the x nearest to the given one; xs grow.
    const nearest = (xs, x) => {
      let lo = 0, hi = xs.length - 1;
      while (hi - lo > 1) {
        const middle = (lo + hi) >> 1;
        if (xs[middle] <= x) lo = middle; else hi = middle;
      }
      return hi > lo && xs[hi] - x < x - xs[lo] ? hi : lo;
    };

    // The numbers beside the names: the latest, or those under the pointer.
    const values = (chart, x) => {
      chart.series.forEach((s, i) => {
        const at = x === null ? s.y.length - 1 : nearest(s.x, x);
        const smoothOne = smooth && Number.isFinite(s.y[at]);
        chart.numbers[i].textContent = shortNumber((smoothOne ? s.mean : s.y)[at]);
      });
    };

    const cross = (chart, x) => {
      const over = chart.svg.querySelector(".over");
      values(chart, x);
      if (x === null || !chart.shown.length) { over.innerHTML = ""; return; }
      const first = chart.shown[0], at = nearest(first.x, x), row = first.run.rows[
        first.at[at]];
      const px = left + chart.px(first.x[at]);
      const epoch = row.epoch === undefined ? "" : ` \u00b7 epoch ${row.epoch}`;
      const edge = px > chart.width / 2 ? "end" : "start";
      const dots = chart.shown.map(s => {
        const i = nearest(s.x, x);
        return Number.isFinite(s.mean[i]) ? `<circle r="3" cx="${left + chart.px(s.x[i])
          }" cy="${top + chart.py(s.mean[i])}" style="fill:${s.color}"/>` : "";
      });
      over.innerHTML = `<line class="cross" x1="${px}" x2="${px}" y1="${top}" y2="${
        height - bottom}"/><text x="${px + (edge === "end" ? -6 : 6)}" y="${top + 9}"
        text-anchor="${edge}">step ${stepText(row.step)}${epoch}</text>${dots.join("")}`;
    };

    const listen = chart => {
      const place = event => {
        const box = chart.svg.getBoundingClientRect();
        const x = (event.clientX - box.left) / box.width * chart.width - left;
        return chart.back(Math.min(Math.max(x, 0), chart.width - left - right));
      };
      chart.svg.addEventListener("pointermove", event => {
        const x = place(event);
        for (const other of all) cross(other, x);
      });
      chart.svg.addEventListener("pointerleave", () => {
        for (const other of all) cross(other, null);
      });
      chart.svg.addEventListener("click", event => {
        if (axis === "step") samples.show(place(event));
      });
    };

    const buttons = (chart, figure) => {
      const log = figure.querySelector("header button");
      const press = () => log.setAttribute("aria-pressed", chart.log);
      press();
      log.addEventListener("click", () => {
        chart.log = !chart.log;
        state.set("log." + chart.title, chart.log === chart.auto ? null : chart.log);
        press();
        draw(chart);
      });
      figure.querySelectorAll(".keys button").forEach((key, i) => {
        const label = chart.series[i].label;
        key.setAttribute("aria-pressed", !chart.hidden.has(label));
        key.addEventListener("click", () => {
          if (!chart.hidden.delete(label)) chart.hidden.add(label);
          key.setAttribute("aria-pressed", !chart.hidden.has(label));
          state.set("hide." + chart.title, chart.hidden.size
                    ? JSON.stringify([...chart.hidden]) : null);
          draw(chart);
        });
      });
    };

    const hiddenOf = title => {
      try {
        return new Set(list(JSON.parse(state.get("hide." + title) || "[]")));
      } catch (e) { return new Set(); }
    };

    const add = (parent, title, series) => {
      const figure = document.createElement("figure");
      figure.className = "chart card";
      const keys = series.map(s => `<button title="show or hide"><i style="background:${
        s.color}"></i>${escaped(s.label)} <b></b></button>`);
      figure.innerHTML = `<header><h3>${escaped(title)}</h3><button
        title="logarithmic axis">log</button></header><div class="keys">${keys.join("")
        }</div><svg role="img" aria-label="${escaped(title)}"></svg>`;
      parent.append(figure);
      const auto = wantsLog(series.flatMap(s => s.y)), wish = state.get("log." + title);
      const chart = { title, series, auto, log: wish === null ? auto : wish === "true",
                      svg: figure.querySelector("svg"), hidden: hiddenOf(title),
                      numbers: figure.querySelectorAll(".keys b") };
      all.push(chart);
      buttons(chart, figure);
      listen(chart);
    };

    const redraw = () => all.forEach(draw);
    return {
      add, redraw,
      axis(name) { axis = name; redraw(); },
      smooth(on) { smooth = on; redraw(); },
      picture(step) { pictureStep = step; all.forEach(markPicture); },
    };
  })();
]=]
