"use strict";
// The page reads without this script; it adds a theme switch, tooltips, sorting and filters.
(() => {
  const root = document.documentElement;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  // Theme: what the system asks for, until the reader says otherwise.
  const theme = document.querySelector(".theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme || (system.matches ? "dark" : "light")) === "dark";
  const show = () => {
    theme.textContent = isDark() ? "Light" : "Dark";
    theme.setAttribute("aria-label", `Switch to the ${isDark() ? "light" : "dark"} theme`);
    theme.removeAttribute("aria-pressed");
  };
  theme.hidden = false;
  theme.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; show(); });
  system.addEventListener("change", show);
  show();

  // Tooltips: the <title> of a mark, shown at once and in the page's own type.
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  tip.setAttribute("aria-hidden", "true");
  document.body.append(tip);
  const texts = new WeakMap();
  const take = (mark) => {
    const title = [...mark.children].find((child) => child.tagName === "title");
    if (title) { texts.set(mark, title.textContent); title.remove(); }
    return texts.get(mark);
  };
  document.addEventListener("pointerover", (event) => {
    const mark = event.target.closest?.("svg.plot *");
    const held = mark && (take(mark) ? mark : mark.closest("g") && take(mark.closest("g")) ? mark.closest("g") : null);
    tip.hidden = !held;
    all(".same").forEach((other) => other.classList.remove("same"));
    if (!held) return;
    tip.textContent = texts.get(held);
    // The same item on the map beside it, and its picture, which one of the two maps holds.
    const plate = held.dataset.i && held.closest(".plate");
    const twins = plate ? all(`[data-i="${held.dataset.i}"]`, plate) : [];
    twins.forEach((other) => other.classList.add("same"));
    const image = twins.map((other) => other.dataset.image).find(Boolean);
    if (image) {
      const picture = document.createElement("img");
      picture.src = image;
      picture.alt = "";
      tip.prepend(picture);
    }
  });
  document.addEventListener("pointermove", (event) => {
    if (tip.hidden) return;
    const half = tip.offsetWidth / 2 + 8;
    const x = Math.min(Math.max(event.clientX, half), root.clientWidth - half);
    const above = event.clientY - tip.offsetHeight - 14;
    tip.style.left = `${x}px`;
    tip.style.top = `${above < 4 ? event.clientY + 20 : above}px`;
  });

  // Tables: a click on a heading sorts by that column; another one turns it round.
  const value = (row, k) => {
    const cell = row.cells[k];
    const given = cell.dataset.v ?? cell.textContent.trim();
    const number = Number(given.replace(/[,%]/g, "").replace("−", "-"));
    return given === "" || given === "–" ? null : Number.isNaN(number) ? given : number;
  };
  const compare = (a, b) =>
    a === null ? 1 : b === null ? -1
      : typeof a === "number" && typeof b === "number" ? a - b
        : String(a).localeCompare(String(b), undefined, { numeric: true });
  for (const table of all("table:not(.upright)")) {
    const body = table.tBodies[0];
    if (!body || body.rows.length < 3) continue;
    all("thead th", table).forEach((head, k) => {
      if (!head.textContent.trim() || head.querySelector(".unseen")) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        all("thead th", table).forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const rows = [...body.rows].sort((a, b) => {
          const [x, y] = [value(a, k), value(b, k)];
          return x === null || y === null || !down ? compare(x, y) : compare(y, x);
        });
        body.append(...rows);
      });
    });
  }

  // What is wider than its box says so.
  const measure = (box) => { box.previousElementSibling.hidden = box.scrollWidth <= box.clientWidth; };
  const resized = new ResizeObserver((entries) => entries.forEach((entry) => measure(entry.target)));
  for (const box of all(".scroll")) {
    const more = document.createElement("p");
    more.className = "more";
    more.textContent = "This table is wider than its place: scroll it sideways";
    box.before(more);
    measure(box);
    resized.observe(box);
  }

  // Quotes: one button a kind.
  for (const list of all(".quotes")) {
    const kinds = [...new Set(all("[data-kind]", list).map((item) => item.dataset.kind))];
    if (kinds.length < 2) continue;
    const bar = document.createElement("div");
    bar.className = "filter";
    bar.setAttribute("role", "group");
    bar.setAttribute("aria-label", "Show");
    for (const kind of [null, ...kinds]) {
      const button = document.createElement("button");
      const shown = all("li", list).filter((item) => kind === null || item.dataset.kind === kind);
      button.type = "button";
      button.textContent = `${kind ?? "all"} (${shown.length})`;
      button.setAttribute("aria-pressed", String(kind === null));
      button.addEventListener("click", () => {
        all("button", bar).forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
        all("li", list).forEach((item) => { item.hidden = !shown.includes(item); });
      });
      bar.append(button);
    }
    list.before(bar);
  }

  // Choices: one button each, the first chosen.
  for (const list of all(".choices")) {
    const parts = all(".choice", list);
    if (parts.length < 2) continue;
    const bar = document.createElement("div");
    bar.className = "filter";
    bar.setAttribute("role", "group");
    bar.setAttribute("aria-label", "Show");
    const choose = (wanted) => parts.forEach((part, k) => {
      part.hidden = k !== wanted;
      bar.children[k].setAttribute("aria-pressed", String(k === wanted));
    });
    parts.forEach((part, k) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = part.dataset.name;
      button.addEventListener("click", () => choose(k));
      part.querySelector("h3").hidden = true;
      bar.append(button);
    });
    list.before(bar);
    choose(0);
  }

  // A link into a folded section opens it; paper has nothing to click, so printing opens all.
  const open = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const fold = target && target.closest("details");
    if (fold) fold.open = true;
  };
  addEventListener("hashchange", open);
  open();
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = all("details.fold:not([open])");
    closed.forEach((fold) => { fold.open = true; });
  });
  addEventListener("afterprint", () => closed.forEach((fold) => { fold.open = false; }));

  // Contents: the section being read, where they stay in sight.
  const links = new Map(all(".body:not(.wide) .contents a").map((link) => [link.hash.slice(1), link]));
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      links.forEach((link) => link.removeAttribute("aria-current"));
      links.get(entry.target.getAttribute("aria-labelledby"))?.setAttribute("aria-current", "true");
    }
  }, { rootMargin: "-10% 0px -80% 0px" });
  all("main section").forEach((section) => seen.observe(section));
})();
