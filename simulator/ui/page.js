// What the server cannot know: where the focus goes, the address bar, the reader's time zone, how long one has waited.
(() => {
  const find = (selector) => document.querySelector(selector);
  const shown = (element) => element && element.offsetParent !== null;
  let place = null;
  let list = "review"; // the filter that a trainer came from, to go back to
  let drafted = "";
  let settling = false; // a call has just come up, and the draft of its box is not back yet
  let asked = false;
  const marked = new Set(); // forms that were sent and are not known to be saved

  // What was touched by hand stays as it is when the page is drawn anew: a reset makes it follow the page again, and what
  // was half written about one call never stands beside another.
  const asDrawn = () => {
    for (const form of document.querySelectorAll("#review form, form[data-mark]")) form.reset();
  };
  // The gallery that an address shows is the whole one.
  window.addEventListener("popstate", () => {
    for (const select of document.querySelectorAll("[data-filter]")) select.selectedIndex = 0;
  });

  // The address follows the page, so that reload, back and forward, and bookmarks work.
  const arrived = (mark) => {
    const first = place === null;
    place = mark.dataset.place;
    const hash = place ? `#/${place}` : "#/";
    if (decodeURIComponent(location.hash) !== decodeURIComponent(hash) && !(first && !place)) {
      history[first ? "replaceState" : "pushState"](null, "", location.pathname + location.search + hash);
    }
    for (const link of document.querySelectorAll("[data-nav]")) {
      if (link.dataset.nav === mark.dataset.page) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    document.body.dataset.page = mark.dataset.page;
    if (mark.dataset.page === "review") list = place;
    asDrawn();
    settling = true;
    setTimeout(() => {
      settling = false;
      window.scrollTo(0, 0);
      const heading = [...document.querySelectorAll("h1")].find(shown);
      if (heading) document.title = `${heading.textContent.trim()} · Defuse`;
      if (mark.dataset.page === "call") {
        const box = find("#box textarea");
        if (box) {
          const kept = sessionStorage.getItem(`draft:${place}`);
          const said = [...document.querySelectorAll("#talk .turn.trainee .said")].pop();
          if (kept && !box.value && kept.trim() !== said?.textContent.trim()) {
            box.value = kept;
            box.dispatchEvent(new Event("input", { bubbles: true }));
          }
          box.focus();
        }
        const room = find("#room");
        if (room) room.scrollTop = room.scrollHeight;
      } else if (!first && heading) heading.focus({ preventScroll: true });
    }, 80);
  };

  document.addEventListener("click", (event) => {
    const to = event.target.closest("a[data-turn]");
    if (to) {
      event.preventDefault();
      const turn = document.getElementById(`said-${to.dataset.turn}`);
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
      if (turn) {
        turn.scrollIntoView({ behavior: still ? "auto" : "smooth", block: "center" });
        turn.focus({ preventScroll: true });
      }
      return;
    }
    // A plain link to a page would reload everything when the address carries a query.
    const link = event.target.closest('a[href^="#/"]');
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      const hash = link.getAttribute("href");
      if (location.hash === hash || (hash === "#/" && !location.hash)) {
        asDrawn();
        window.dispatchEvent(new PopStateEvent("popstate"));
      } else location.hash = hash;
    }
    if (event.target.closest("#send, #no, #hints")) setTimeout(() => find("#box textarea")?.focus(), 60);
  });
  // A filter is an address, so that it can be kept, shared and gone back to.
  document.addEventListener("submit", (event) => {
    const { place: base, mark } = event.target.dataset;
    if (mark) marked.add(event.target);
    if (!base) return;
    event.preventDefault();
    const set = [...new FormData(event.target)].filter(([, value]) => value);
    const dates = Object.fromEntries(set);
    // Days are the reader's own; summer time may begin or end between the first and the last.
    for (const [name, time] of [["since", "00:00"], ["until", "23:59"]]) {
      if (dates[name]) set.push([`${name}_offset`, -new Date(`${dates[name]}T${time}`).getTimezoneOffset()]);
    }
    const hash = `#/${base}${set.length ? `/${new URLSearchParams(set)}` : ""}`;
    if (location.hash === hash) window.dispatchEvent(new PopStateEvent("popstate"));
    else location.hash = hash;
  });
  document.addEventListener("keydown", (event) => {
    const sheet = find("details.again[open]");
    if (event.key === "Escape" && sheet) {
      sheet.open = false;
      sheet.querySelector("summary").focus();
    }
  });

  let focused = null;
  const tidy = () => {
    const wish = find("#focus [data-focus]");
    if (wish && wish.dataset.at !== focused) {
      focused = wish.dataset.at;
      setTimeout(() => document.getElementById(wish.dataset.focus)?.focus(), 80);
      // The focus moves on only where a form was saved: what it said is not offered for the next.
      for (const form of marked) {
        if (document.getElementById(wish.dataset.focus)?.contains(form) && marked.delete(form)) form.reset();
      }
    }
    const mark = find("#router [data-place]");
    if (mark && mark.dataset.place !== place) arrived(mark);
    const back = find("a[data-back]");
    if (back && back.getAttribute("href") !== `#/${list}`) back.setAttribute("href", `#/${list}`);
    for (const time of document.querySelectorAll("time[data-local]")) {
      const text = new Date(time.dateTime).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
      if (time.textContent !== text) time.textContent = text;
    }
    const box = find("#box textarea");
    if (box) box.readOnly = Boolean(find("[data-listening]"));
    // The question may stand far below the button that asked it; the focus brings it into view.
    const sure = shown(find("#no"));
    if (sure && !asked) find("#no").focus();
    asked = sure;
    const over = find("#over");
    if (over && document.activeElement === document.body) over.focus({ preventScroll: true });
    const room = find("#room");
    if (room) {
      if (!room.hasAttribute("tabindex")) {
        room.tabIndex = 0; // a box that scrolls must be reachable without a mouse
        room.setAttribute("role", "region");
        room.setAttribute("aria-label", "Conversation");
      }
      const inside = room.scrollHeight;
      if (inside !== Number(room.dataset.inside)) {
        room.dataset.inside = inside;
        room.scrollTop = inside;
        const last = find("#now .turn") ?? find("#talk .turn:last-child");
        if (getComputedStyle(room).overflowY === "visible") last?.scrollIntoView({ block: "center" });
      }
    }
  };
  new MutationObserver(tidy).observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-place", "data-at"] });

  // After a second the page says what is awaited, after ten how long it has been.
  let since = null;
  setInterval(() => {
    const waiting = find("[data-waiting]");
    since = waiting ? (since ?? Date.now()) : null;
    if (waiting) {
      const seconds = Math.floor((Date.now() - since) / 1000);
      waiting.classList.toggle("long", seconds >= 1);
      waiting.querySelector(".elapsed").textContent = seconds >= 10 ? ` (${seconds} s so far)` : "";
    }
    // A draft outlives a reload, also the one that follows a restart of the server.
    const box = find("#box textarea");
    if (box && !settling && /^(call|drive)\//.test(place ?? "") && box.value !== drafted) {
      drafted = box.value;
      if (drafted) sessionStorage.setItem(`draft:${place}`, drafted);
      else sessionStorage.removeItem(`draft:${place}`);
    }
  }, 500);
})();
