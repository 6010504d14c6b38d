// The Studio's half in the browser: gathers what is written, sends it one wish at a time, and shows each mistake at its field.
(() => {
  const find = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const field = (path) => find(`#form [data-path="${CSS.escape(path)}"]`);
  const PAUSE = 350; // ms after the last key before a change is sent
  const GIVE_UP = 20_000; // ms without an answer before it is sent again
  const MOST = 200_000; // characters of a file; the server says that it is too much

  let key = "";
  let seq = 0;
  let flying = null; // the wish that is not answered yet
  let changes = {}; // inputs changed since the last wish, by path
  let yaml = null; // the YAML as written and not sent yet
  let queue = [];
  let timer = 0;
  let told = null; // the verdict shown
  let drawn = null; // the form that it is shown on
  let drawing; // the mark of what was drawn there last
  let strict = false; // whether fields never touched are marked too
  let touched = new Set();
  let moved = ""; // what moved an entry, its button or the field one was in, to be focused again
  let wanted = ""; // the place to focus once all of an answer is drawn

  const send = (act, more = {}) => {
    queue.push({ act, ...more });
    flush();
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(flush, PAUSE);
  };
  const flush = () => {
    clearTimeout(timer);
    if (flying) return;
    let wish = queue.length ? queue[0] : null;
    if (yaml !== null) wish = { act: "yaml", text: yaml };
    else if (wish) queue.shift();
    else if (Object.keys(changes).length) wish = { act: "change" };
    if (!wish) return;
    flying = { ...wish, seq: ++seq, changes, yaml, at: Date.now() };
    window.dispatchEvent(new CustomEvent("studio-wish", { detail: { ...wish, seq, key, changes } }));
    changes = {};
    yaml = null;
  };
  const answered = () => {
    const mark = find("#heard [data-heard]");
    if (!flying || !mark || Number(mark.dataset.heard) !== flying.seq) return;
    flying = null;
    if (wanted) focusOn(wanted);
    wanted = moved = "";
    flush();
  };
  setInterval(() => {
    if (!flying || Date.now() - flying.at < GIVE_UP || find("#panel [data-waiting]")) return;
    changes = { ...flying.changes, ...changes };
    yaml = yaml ?? flying.yaml;
    flying = null;
    flush();
  }, 1000);

  const value = (input) => {
    if (input.dataset.kind === "lines") return input.value.split("\n").map((line) => line.trim()).filter(Boolean);
    if (input.dataset.kind === "long") return input.value.replace(/\s*\n\s*/g, " ");
    if (input.dataset.kind === "number" && input.value.trim() !== "") return Number(input.value);
    return input.value;
  };

  // A fault belongs to the nearest field that the form has: story.0.says.2 to story.0.says.
  const placed = (path) => {
    for (let at = path; at; at = at.includes(".") ? at.slice(0, at.lastIndexOf(".")) : "") {
      const shown = find(`#form [data-fault="${CSS.escape(at)}"]`);
      if (shown) return [at, shown];
    }
    return [path, null];
  };
  const mark = () => {
    for (const shown of all("#form [data-fault]:not([hidden])")) shown.hidden = true;
    for (const input of all("#form [aria-invalid]")) input.removeAttribute("aria-invalid");
    for (const [path, message, open] of told.faults) {
      const [at, shown] = placed(path);
      if (!shown || !shown.hidden || (open && !strict && !touched.has(at))) continue;
      const line = path.slice(at.length + 1);
      shown.textContent = `${/^\d+$/.test(line) ? `Line ${Number(line) + 1}` : "This"} ${message}.`;
      shown.hidden = false;
      shown.classList.remove("weak");
      field(at)?.setAttribute("aria-invalid", "true");
    }
    for (const [path, words] of told.weak) {
      const shown = placed(path)[1];
      if (!shown?.hidden) continue;
      shown.textContent = `Weak: this ${words}.`;
      shown.classList.add("weak");
      shown.hidden = false;
    }
  };
  const focusOn = (path) => {
    if (path === "story" || path === "triggers") {
      const entries = all(`#form [data-entry^="${path}."]`);
      return (entries.at(-1)?.querySelector("[data-path]") ?? find(`[data-add="${path}"]`))?.focus();
    }
    const entry = find(`#form [data-entry="${CSS.escape(path)}"]`);
    if (entry && moved) {
      return (entry.querySelector(moved) ?? entry.querySelector("[data-up]:not(:disabled), [data-down]:not(:disabled)"))?.focus();
    }
    const input = entry?.querySelector("[data-path]") ?? field(placed(path)[0]);
    input?.scrollIntoView({ block: "center" });
    input?.focus({ preventScroll: true });
  };
  const apply = (verdict) => {
    if (verdict.key !== key) {
      key = verdict.key;
      touched = new Set();
      strict = false;
      changes = {};
      yaml = null;
      queue = [];
    }
    told = verdict;
    const text = find("#yaml");
    if (text && yaml === null && text.value !== verdict.yaml) {
      const [from, to] = [text.selectionStart, text.selectionEnd];
      text.value = verdict.yaml;
      if (document.activeElement === text) text.setSelectionRange(from, to);
    }
    const kept = find("[data-kept]");
    if (kept && verdict.kept) {
      kept.textContent = `draft kept ${new Date(verdict.kept).toLocaleTimeString()}`;
    }
    const discard = find("#studio [data-act=ask-discard]");
    if (discard) discard.hidden = !verdict.kept;
    wanted = verdict.focus;
  };

  // What is written in an entry while it moves goes along with it.
  const follow = ({ act, where, index, to }) => {
    if (act !== "move" && act !== "remove-entry") return;
    const order = [...Array(100).keys()]; // as many as a path can number
    order.splice(index, 1);
    if (act === "move") order.splice(to, 0, index);
    const followed = Object.entries(changes).map(([path, now]) => {
      const [list, number, ...inner] = path.split(".");
      return [list === where ? [list, order.indexOf(Number(number)), ...inner].join(".") : path, now];
    });
    changes = Object.fromEntries(followed.filter(([path]) => !path.includes(".-1.")));
  };
  // Gradio patches a form in place, where an input that was written in keeps what it holds and a select what was chosen.
  // So a form drawn anew is set to what the draft says, except where something is not sent yet.
  const redrawn = () => {
    const form = find("#form [data-form]");
    if (form === drawn && form?.dataset.form === drawing) return false;
    drawn = form;
    drawing = form?.dataset.form;
    if (flying) follow(flying);
    for (const input of all("#form [data-path]")) {
      const now = changes[input.dataset.path];
      if (now === undefined) input.value = input.defaultValue ?? input.querySelector("[selected]").value;
      else if (String(value(input)) !== String(now)) input.value = Array.isArray(now) ? now.join("\n") : now;
    }
    return true;
  };
  let last = "";
  let panel = null;
  const tidy = () => {
    const mine = find("#verdict [data-verdict]");
    if (!mine) [last, key, told] = ["", "", null];
    const news = mine && mine.dataset.verdict !== last;
    if (news) {
      last = mine.dataset.verdict;
      apply(JSON.parse(last));
    }
    if ((redrawn() || news) && told) {
      mark();
      if (drawn) drawn.inert = !told.readable; // what the YAML says now is not what the form shows
      const name = field("name")?.value.trim();
      const title = find("#studio h1");
      if (title && name !== undefined) title.textContent = name || "New persona";
    }
    const opened = find("#panel [data-panel]")?.textContent ?? null;
    if (opened !== panel) {
      panel = opened;
      if (opened) setTimeout(() => find("#panel [data-panel]")?.focus(), 60);
    }
    answered();
  };
  new MutationObserver(tidy).observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-verdict", "data-heard", "data-form"] });

  const move = (button, by) => {
    const [where, index] = (button.dataset.up ?? button.dataset.down ?? button.dataset.entry).split(".");
    const to = Number(index) + by;
    if (to < 0 || to >= all(`#form [data-entry^="${where}."]`).length) return;
    const inner = button.dataset.entry && document.activeElement.dataset.path?.split(".").slice(2).join(".");
    moved = inner ? `[data-path$=".${inner}"]` : `[data-${by < 0 ? "up" : "down"}]:not(:disabled)`;
    send("move", { where, index: Number(index), to });
  };
  document.addEventListener("input", (event) => {
    const input = event.target;
    if (input.matches("#form [data-path]")) {
      changes[input.dataset.path] = value(input);
      soon();
    } else if (input.id === "yaml") {
      yaml = input.value;
      soon();
    }
  });
  document.addEventListener("focusout", (event) => {
    if (!event.target.matches?.("#form [data-path], #yaml")) return;
    if (event.target.dataset.path) touched.add(event.target.dataset.path);
    if (told && drawn) mark();
    flush();
  });
  document.addEventListener("submit", (event) => {
    if (event.target.matches("[data-form]")) event.preventDefault();
  });
  document.addEventListener("change", async (event) => {
    const file = event.target.matches("[data-upload]") ? event.target.files[0] : null;
    if (!file) return;
    send("upload", { text: await file.slice(0, MOST + 1).text() });
    event.target.value = "";
  });
  document.addEventListener("keydown", (event) => {
    const entry = event.altKey && /^Arrow(Up|Down)$/.test(event.key) ? event.target.closest?.("#form [data-entry]") : null;
    if (entry) {
      event.preventDefault();
      move(entry, event.key === "ArrowUp" ? -1 : 1);
    }
    if (event.key === "Escape" && find("#panel [data-act=close]")) send("close");
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("#page-studio button");
    if (!button) return;
    const data = button.dataset;
    if (data.to) focusOn(data.to);
    else if (data.add) send("add", { where: data.add });
    else if (data.up) move(button, -1);
    else if (data.down) move(button, 1);
    else if (data.remove) {
      const [where, index] = data.remove.split(".");
      send("remove-entry", { where, index: Number(index) });
    } else if (data.act === "call") {
      const anger = find("#panel [data-anger]");
      if (!anger.reportValidity()) return;
      const points = all("#panel [data-told]:checked:not(:disabled)").map((box) => box.dataset.told);
      send("call", { anger: Number(anger.value), told: points });
    } else if (data.act) {
      if (data.act === "save") strict = true;
      send(data.act, { which: data.which ?? data.version ?? "" });
    }
  });
})();
