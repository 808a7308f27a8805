/* day2ops console: keys, dialogs, live or paused, the words of a countdown. Everything can be read, and decided, without it. */
(() => {
  "use strict";
  const $ = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const typing = (target) => target.closest("input, textarea, select, [contenteditable]") !== null;

  // Menu: open beside the page, closed above it.
  const menu = $("[data-menu]");
  const wide = window.matchMedia("(min-width: 62rem)");
  const fold = () => { if (menu) menu.open = wide.matches; };
  wide.addEventListener("change", fold);
  fold();

  // Theme: a cookie, so that the server draws it and nothing flashes.
  const form = $("[data-theme-form]");
  if (form) form.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = $("button", form);
    const theme = button.value;
    document.documentElement.dataset.theme = theme;
    document.cookie = `day2_theme=${theme}; path=/; max-age=31536000; samesite=lax`;
    button.value = theme === "dark" ? "light" : "dark";
    button.textContent = theme === "dark" ? "Light" : "Dark";
  });

  // Dialogs. A link that opens one leads to a page with the same form where there is no script.
  const open = (id, opener) => {
    const dialog = document.getElementById(id);
    if (!dialog || dialog.open) return false;
    dialog.addEventListener("close", () => opener && opener.focus(), { once: true });
    dialog.showModal();
    const first = $("input:not([type=hidden]), textarea, button", dialog);
    if (first) first.focus();
    return true;
  };
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog]");
    if (opener && open(opener.dataset.dialog, opener)) event.preventDefault();
    if (event.target.closest("[data-close]")) event.target.closest("dialog").close();
    if (event.target.closest("[data-help]")) open("keys", event.target.closest("[data-help]"));
    if (event.target.closest("[data-go]")) jump(event.target.closest("[data-go]"));
    if (event.target.closest("[data-pause]")) pause();
  });
  document.addEventListener("submit", (event) => {
    const button = $("button:not([type=button])", event.target);
    if (event.target.method === "post" && !event.target.matches("[data-theme-form]")) {
      if (event.target.dataset.sent) event.preventDefault();
      event.target.dataset.sent = "1";
      if (button) button.setAttribute("aria-disabled", "true");
    }
  });
  window.addEventListener("pageshow", () => all("form[data-sent]").forEach((sent) => delete sent.dataset.sent));

  // Live or paused, and how old what one sees is.
  const live = $("[data-live]"), stale = $("[data-stale]"), button = $("[data-pause]"), word = $("[data-live-word]"), moved = $("[data-moved]");
  let paused = false, heard = Date.now();
  const say = () => {
    if (!live) return;
    const old = Date.now() - heard > 10000;
    live.classList.toggle("on", !paused && !old);
    live.classList.toggle("off", old);
    word.textContent = paused ? "paused at" : old ? "stale since" : "live, as of";
    stale.hidden = paused || !old;
  };
  const pause = () => {
    paused = !paused;
    button.textContent = paused ? "Go on" : "Pause";
    button.setAttribute("aria-pressed", String(paused));
    if (!paused) location.reload();
    say();
  };
  if (button) button.hidden = false;
  all("[data-help], [data-go]").forEach((help) => { help.hidden = false; });
  document.body.addEventListener("htmx:sseBeforeMessage", (event) => {
    if (paused) { event.preventDefault(); return; }
    heard = Date.now();
    say();
  });
  document.body.addEventListener("htmx:beforeRequest", (event) => {
    const cause = event.detail.requestConfig && event.detail.requestConfig.triggeringEvent;
    if (!cause || !String(cause.type).startsWith("sse:")) return;
    const target = event.detail.target;
    const written = target && target.contains(document.activeElement) && typing(document.activeElement);
    if (written && !paused) moved.hidden = false; // nothing that is being written is replaced; that it is old is said
    if (paused || written) event.preventDefault();
  });
  document.body.addEventListener("htmx:afterSettle", () => tick());
  setInterval(say, 2000);

  // Something new is told, and put nowhere by itself: nothing moves under the cursor.
  const pill = $("[data-new]");
  if (pill) {
    let fresh = 0;
    document.body.addEventListener("htmx:sseMessage", (event) => {
      if (event.detail.type !== "new") return;
      fresh += Number(event.detail.data) || 1;
      pill.hidden = false;
      $("[data-new-count]", pill).textContent = `${fresh} new`;
    });
  }

  // Countdowns as text, against the server's clock.
  const clock = $("[data-now]");
  const skew = clock ? Date.parse(clock.dataset.now) - Date.now() : 0;
  const left = (ms) => {
    const minutes = Math.floor(ms / 60000);
    if (ms <= 0) return "over";
    if (minutes >= 2880) return `${Math.floor(minutes / 1440)} days`;
    return minutes >= 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : minutes ? `${minutes} min` : `${Math.floor(ms / 1000)} s`;
  };
  const tick = () => { if (clock && clock.dataset.steady !== undefined) all("[data-until]").forEach((item) => { item.textContent = left(Date.parse(item.dataset.until) - Date.now() - skew); }); };
  setInterval(tick, 15000);
  all("time[data-local]").forEach((item) => { item.title = new Date(item.dateTime).toLocaleString(); });

  // Keys. They lead and open; none decides.
  const off = $("[data-keys-off]");
  let keys = true;
  try { keys = localStorage.getItem("day2-keys") !== "off"; } catch { keys = true; }
  if (off) { off.checked = !keys; off.addEventListener("change", () => { keys = !off.checked; try { localStorage.setItem("day2-keys", keys ? "on" : "off"); } catch { /* a browser that keeps nothing */ } }); }
  const places = { n: "/", a: "/approvals", r: "/runs", i: "/incidents", f: "/findings", c: "/chat", u: "/audit", s: "/savings", g: "/agents", p: "/policies" };
  let going = 0, selected = -1;
  const rows = () => all("[data-row]");
  const select = (step) => {
    const items = rows();
    if (!items.length) return;
    selected = Math.max(0, Math.min(items.length - 1, selected + step));
    items.forEach((item, at) => item.setAttribute("aria-selected", String(at === selected)));
    const link = $("a", items[selected]);
    if (link) link.focus();
    items[selected].scrollIntoView({ block: "nearest" });
  };
  const decide = (kind) => {
    const item = rows()[selected] || ($(`[data-${kind}]`) ? document : null);
    const link = item && $(`[data-${kind}]`, item);
    if (link) link.click();
  };
  // Where to: pages, an id that is written whole, and what this page lists. It only leads.
  const palette = $("[data-palette]"), wanted = $("#palette-text"), offered = $("#palette-list");
  const IDS = [[/^act-[0-9a-z-]+$/, "/actions/"], [/^run-[\w.-]+$/, "/runs/"], [/^inc-[\w.-]+$/, "/incidents/"], [/^fnd-[\w.-]+$/, "/findings?q="]];
  let chosen = 0, ways = [];
  const written = (text) => {
    const found = IDS.filter(([form]) => form.test(text)).map(([, path]) => [text, path + encodeURIComponent(text)]);
    return text ? [...found, [`findings with “${text}”`, `/findings?q=${encodeURIComponent(text)}`]] : found;
  };
  const listed = () => {
    const links = [...all(".side nav li a"), ...all("main [data-row] a")];
    const seen = new Set();
    return links.map((link) => [link.textContent.trim().replace(/\s+/g, " "), link.getAttribute("href")])
      .filter(([name, path]) => name && path && path.startsWith("/") && !seen.has(path) && seen.add(path));
  };
  const choose = (step) => {
    chosen = ways.length ? (chosen + step + ways.length) % ways.length : 0;
    [...offered.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === chosen)));
    wanted.setAttribute("aria-activedescendant", ways.length ? `way-${chosen}` : "");
    if (offered.children[chosen]) offered.children[chosen].scrollIntoView({ block: "nearest" });
  };
  const offer = () => {
    const text = wanted.value.trim(), words = text.toLowerCase().split(/\s+/);
    const fits = listed().filter(([name]) => words.every((word) => name.toLowerCase().includes(word))).slice(0, 12);
    const exact = written(text);
    ways = exact.length > 1 ? [...exact, ...fits] : [...fits, ...exact];
    offered.replaceChildren(...ways.map(([name, path], at) => {
      const item = document.createElement("li");
      item.id = `way-${at}`;
      item.setAttribute("role", "option");
      item.textContent = name;
      item.addEventListener("click", () => location.assign(path));
      return item;
    }));
    chosen = 0;
    choose(0);
  };
  const jump = (opener) => { wanted.value = ""; offer(); open("palette", opener); };
  wanted.addEventListener("input", offer);
  wanted.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") choose(1);
    else if (event.key === "ArrowUp") choose(-1);
    else if (event.key === "Enter") { if (ways[chosen]) location.assign(ways[chosen][1]); }
    else return;
    event.preventDefault();
  });

  // [ and ]: from change to change of a diff; where there is none, from page to page of a list.
  let hunk = -1;
  const beside = (step) => {
    const hunks = all("main .hunk");
    if (hunks.length) {
      hunk = Math.max(0, Math.min(hunks.length - 1, hunk + step));
      hunks[hunk].tabIndex = -1;
      hunks[hunk].focus();
      hunks[hunk].scrollIntoView({ block: "nearest" });
      return;
    }
    const link = $(step > 0 ? "main a[rel=next]" : "main a[rel=prev]");
    if (link) link.click();
  };
  document.addEventListener("keydown", (event) => {
    if (keys && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k" && !$("dialog[open]")) {
      event.preventDefault();
      jump(document.activeElement);
      return;
    }
    if (keys && event.key === "Escape" && typing(event.target) && !$("dialog[open]")) { event.target.blur(); return; }
    if (!keys || event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || $("dialog[open]")) return;
    if (Date.now() - going < 1500 && places[event.key]) { location.assign(places[event.key]); return; }
    going = event.key === "g" ? Date.now() : 0;
    if (event.key === "?") open("keys");
    else if (event.key === "/") { const field = $("[data-filter]"); if (field) { event.preventDefault(); field.focus(); } }
    else if (event.key === "j") select(1);
    else if (event.key === "k") select(-1);
    else if (event.key === "[") beside(-1);
    else if (event.key === "]") beside(1);
    else if (event.key === "a") decide("approve");
    else if (event.key === "d") decide("deny");
    else return;
    if (event.key !== "?") event.preventDefault();
  });
})();
