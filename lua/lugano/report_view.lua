--- report_view.lua - the page's own script, third part: pictures through time, which
-- curves share a chart, and a page that is read again while its run goes on.

return [=[
  // Pictures: a slider over the steps of all runs. Each run shows its latest picture up
  // to that step.
  const samples = (() => {
    const section = document.getElementById("samples"), per = 125;   // ms of a picture
    const find = name => section.querySelector(name);
    const folders = [...new Set(runs.flatMap(r => r.pictures.map(p => p.folder)))].sort();
    let folder = null, steps = [], at = 0, timer = null, atEnd = true;

    const picturesOf = run => run.pictures.filter(p => p.folder === folder);
    const pictureAt = (run, step) => picturesOf(run).filter(p => p.step <= step).pop();

    const figure = run => {
      const node = document.createElement("figure");
      const dot = many ? `<i style="background:${color(run.index)}"></i>` : "";
      node.innerHTML = `<img alt=""><figcaption class="run">${dot}<b></b> <span></span>
        </figcaption>`;
      const image = node.querySelector("img");
      image.addEventListener("load", () => image.classList.toggle("sharp",
        image.naturalWidth < image.clientWidth * devicePixelRatio));
      find(".views").append(node);
      return node;
    };

    const caption = (run, picture) => {
      const words = [many ? run.label : `step ${stepText(picture.step)}`];
      const rest = many ? [`step ${stepText(picture.step)}`] : [];
      if (picture.epoch !== undefined) rest.push(`epoch ${picture.epoch}`);
      return [words[0], rest.join(" \u00b7 ")];
    };

    const fill = (node, run) => {
      const picture = pictureAt(run, steps[at]), image = node.querySelector("img");
      image.hidden = !picture;
      const [head, rest] = picture ? caption(run, picture)
                                   : [run.label, "no picture yet"];
      node.querySelector("b").textContent = head;
      node.querySelector("span").textContent = rest;
      if (picture && image.src !== picture.source) {
        image.src = picture.source;
        image.alt = `${run.label}, ${folder}, step ${picture.step}`;
      }
    };

    const go = index => {
      at = Math.min(Math.max(index, 0), steps.length - 1);
      atEnd = at === steps.length - 1;
      [...find(".views").children].forEach((node, i) => fill(node, runs[i]));
      const slider = find("input");
      slider.value = at;
      slider.setAttribute("aria-valuetext", `step ${steps[at]}`);
      find("output").textContent = `${at + 1} of ${steps.length}`;
      const thumbs = [...find(".strip").children];
      const last = thumbs.filter(thumb => Number(thumb.dataset.at) <= at).pop();
      for (const thumb of thumbs) thumb.setAttribute("aria-pressed", thumb === last);
      state.set("step", atEnd ? null : steps[at]);
      charts.picture(steps[at]);
    };

    const nearestStep = step => steps.reduce((best, s, i) =>
      Math.abs(s - step) < Math.abs(steps[best] - step) ? i : best, 0);

    // A few of them in a row: the run at a glance.
    const strip = () => {
      const node = find(".strip"), count = Math.min(10, steps.length);
      node.innerHTML = "";
      node.hidden = many || count < 3;
      for (let i = 0; i < count && !node.hidden; i++) {
        const index = Math.round(i * (steps.length - 1) / (count - 1));
        const thumb = document.createElement("button");
        const part = document.createElement("span"), image = new Image();
        image.src = pictureAt(runs[0], steps[index]).source;
        image.alt = "";
        part.append(image);
        thumb.append(part, stepText(steps[index]));
        thumb.dataset.at = index;
        thumb.title = `step ${stepText(steps[index])}`;
        thumb.addEventListener("click", () => { stop(); go(index); });
        node.append(thumb);
      }
    };

    const stop = () => {
      clearInterval(timer);
      timer = null;
      find(".play").textContent = "\u25b6";
      find(".play").setAttribute("aria-label", "play");
    };

    const play = () => {
      if (timer !== null) { stop(); return; }
      if (atEnd) go(0);
      find(".play").textContent = "\u275a\u275a";
      find(".play").setAttribute("aria-label", "pause");
      timer = setInterval(() => {
        if (atEnd) stop(); else go(at + 1);
      }, per);
    };

    const choose = name => {
      folder = name;
      steps = [...new Set(runs.flatMap(r => picturesOf(r).map(p => p.step)))]
        .sort((a, b) => a - b);
      find("input").max = steps.length - 1;
      find(".player").hidden = steps.length < 2;
      for (const tab of find(".tabs").children)
        tab.setAttribute("aria-pressed", tab.textContent === name);
      state.set("folder", name === folders[0] ? null : name);
      strip();
    };

    const tabs = () => {
      if (folders.length < 2) {
        find("h2").textContent = folders[0][0].toUpperCase() + folders[0].slice(1);
        return;
      }
      for (const name of folders) {
        const tab = document.createElement("button");
        tab.textContent = name;
        tab.addEventListener("click", () => {
          const step = steps[at], end = atEnd;
          stop();
          choose(name);
          go(end ? steps.length - 1 : nearestStep(step));
        });
        find(".tabs").append(tab);
      }
    };

    // Arrow keys step through the pictures wherever nothing else wants them.
    const keys = event => {
      const busy = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName);
      if (busy || event.altKey || event.ctrlKey || event.metaKey) return;
      const jumps = { ArrowLeft: at - 1, ArrowRight: at + 1 };
      if (!(event.key in jumps)) return;
      event.preventDefault();
      stop();
      go(jumps[event.key]);
    };

    const start = () => {
      if (!folders.length) return;
      section.hidden = false;
      runs.forEach(figure);
      find(".views").classList.toggle("one", !many);
      tabs();
      const wish = state.get("folder");
      choose(folders.includes(wish) ? wish : folders[0]);
      const step = Number(state.get("step") || NaN);
      go(Number.isFinite(step) ? nearestStep(step) : steps.length - 1);
      find("input").addEventListener("input", event => {
        stop();
        go(Number(event.target.value));
      });
      find(".play").addEventListener("click", play);
      document.addEventListener("keydown", keys);
    };
    return { start, playing: () => timer !== null,
             show: step => { if (steps.length) { stop(); go(nearestStep(step)); } } };
  })();

  // Which curves share a chart: those that are read together and have one size. Measures
  // of quality and rates have charts of their own.
  const curves = (() => {
    const own = new RegExp("^(lr|rate|fid|kid|is|precision|recall|coverage|density|"
      + "accuracy|ssim|psnr|lpips|distance|diversity)(_.*)?$", "i");
    const kinds = ["Losses", "Scores", "Gradient norms"];
    const kindOf = name => {
      if (/\.grad_norm$/.test(name)) return "Gradient norms";
      if (/\(.*\)$/.test(name)) return "Scores";
      if (own.test(name)) return name;
      const prefix = name.match(/^(.+?)[.\/]/);
      return prefix ? prefix[1] : "Losses";
    };

    // One run: a chart for each kind, a color for each name.
    const ofOne = (parent, run) => {
      const groups = new Map();
      for (const name of [...run.series.keys()].sort()) {
        const kind = kindOf(name);
        if (!groups.has(kind)) groups.set(kind, []);
        groups.get(kind).push(name);
      }
      const order = [...kinds, ...[...groups.keys()].filter(k => !kinds.includes(k))];
      for (const kind of order.filter(k => groups.has(k)))
        charts.add(parent, kind, groups.get(kind).map((name, i) =>
          ({ ...run.series.get(name), run, color: color(i), label: name })));
    };

    // Several: a chart for each name, a color for each run.
    const ofMany = parent => {
      const names = [...new Set(runs.flatMap(r => [...r.series.keys()]))];
      const rank = name => (kinds.indexOf(kindOf(name)) + 4) % 4;   // the others last
      names.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
      for (const name of names)
        charts.add(parent, name, runs.filter(r => r.series.has(name)).map(run =>
          ({ ...run.series.get(name), run, color: color(run.index), label: run.label })));
    };

    const toggle = (id, name, usual, act) => {
      const box = document.getElementById(id), wish = state.get(name);
      box.checked = wish === null ? usual : wish === "1";
      box.addEventListener("change", () => {
        state.set(name, box.checked === usual ? null : box.checked ? "1" : "0");
        act(box.checked);
      });
      if (box.checked) act(true);
    };

    const start = () => {
      const section = document.getElementById("curves");
      if (!runs.some(r => r.series.size)) return;
      section.hidden = false;
      const parent = section.querySelector(".charts");
      if (many) ofMany(parent); else ofOne(parent, runs[0]);
      const timed = runs.every(r => r.rows.every(row => Number.isFinite(row.time)));
      document.getElementById("by-time").parentNode.hidden = !timed;
      const dense = runs.some(r => r.rows.length > 400);
      toggle("smooth", "smooth", dense, charts.smooth);
      if (timed)
        toggle("by-time", "time", false, on => charts.axis(on ? "time" : "step"));
      charts.redraw();
      let width = innerWidth;
      addEventListener("resize", () => {
        if (innerWidth !== width) { width = innerWidth; charts.redraw(); }
      });
    };
    return { start };
  })();

  // While the run goes on, the page is read again every few seconds, unless somebody is
  // just using it. A run that left no news for long may have ended without a word.
  const live = (() => {
    const often = 5e3, seldom = 60e3, stale = 1800e3;              // ms
    const box = document.getElementById("live");
    let touched = 0;
    const start = () => {
      if (!box) return;
      const silent = Date.now() - Number(box.dataset.written) * 1000 > stale;
      box.checked = state.get("live") !== "0";
      if (silent) {
        const word = document.querySelector(".state");
        word.classList.remove("on");
        word.textContent = "no news for long";
      }
      box.addEventListener("change", () => state.set("live", box.checked ? null : "0"));
      for (const name of ["pointermove", "pointerdown", "keydown", "scroll"])
        addEventListener(name, () => { touched = Date.now(); }, { passive: true });
      setInterval(() => {
        const idle = Date.now() - touched > 3000 && !samples.playing();
        if (box.checked && idle && !document.hidden) location.reload();
      }, silent ? seldom : often);
    };
    return { start };
  })();

  curves.start();
  samples.start();
  live.start();
  document.documentElement.dataset.ready = "yes";
]=]
