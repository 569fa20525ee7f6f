// Tells in JupyterLab when this environment is about to stop, and keeps it for an hour (dl-fleet).
// Written by hand as what JupyterLab loads of a prebuilt extension: a module federation container with init and get.
// It asks the server only while the tab is seen, and touches no kernel: an open tab is no activity.
(() => {
  "use strict";
  const NAME = "dl-fleet-banner";
  const SECONDS = {quiet: 20, warned: 5, asked: 2};
  const DEAD_SECONDS = 60;
  const TOLD_MILLISECONDS = 20000;
  const TIMEOUT = 15000;
  const BY_HAND = "try again, or run touch ~/.fleet/keep in a terminal";
  const DEAD = {
    lifetime: "The watcher of idle time and expiry is silent: this environment may stop without a word here, or not when idle.",
    spot: "The watcher of Spot interruptions is silent: this environment may be taken back without a word here.",
  };
  const STYLE = `
    .fleet-row { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 12px; padding: 6px 12px;
      font: 14px/20px var(--jp-ui-font-family, sans-serif); color: #1f1f1f; background: #ffe082; }
    .fleet-row + .fleet-row { border-top: 1px solid #0006; }
    .fleet-row:focus { outline: none; }
    .fleet-row p { margin: 0; flex: 1 1 20em; }
    .fleet-row [role=timer] { font-weight: 700; font-variant-numeric: tabular-nums; }
    .fleet-row button { font: inherit; font-weight: 600; padding: 3px 12px; border: 1px solid currentColor;
      border-radius: 3px; color: inherit; background: transparent; cursor: pointer; }
    .fleet-row button.fleet-keep { color: #fff; background: #1f1f1f; }
    .fleet-row button:hover { text-decoration: underline; }
    .fleet-row button:focus-visible { outline: 3px solid currentColor; outline-offset: 2px; }
    .fleet-row button.fleet-keep:focus-visible { outline-color: #1f1f1f; }
    .fleet-row.fleet-interruption { color: #fff; background: #b3001b; font-weight: 600; }
    .fleet-row.fleet-kept { background: #c8e6c9; }
    .fleet-row.fleet-quiet { padding: 2px 12px; font-size: 12px;
      color: var(--jp-ui-font-color1); background: var(--jp-layout-color2); }
    .fleet-row.fleet-quiet button { padding: 0 8px; font-weight: 400; }
    .fleet-told { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }`;

  function element(tag, properties, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  }

  function sentence(text) {
    const whole = text.charAt(0).toUpperCase() + text.slice(1);
    return /[.!?]$/.test(whole) ? whole : `${whole}.`;
  }

  function clock(milliseconds) {
    return new Date(milliseconds).toLocaleTimeString([], {hour: "2-digit", minute: "2-digit"});
  }

  function left(milliseconds) {
    const seconds = Math.ceil(milliseconds / 1000);
    if (seconds <= 0) return "any moment now";
    const minutes = Math.floor(seconds / 60);
    return minutes ? `${minutes} min ${seconds % 60} s left` : `${seconds} s left`;
  }

  // What stands in the banner, strongest first. A row: key (another key is another message), kind, text, and perhaps
  // deadline (of performance.now) and keep (whether there is something to click).
  function rowsOf({watchers, heard, silent, kept, answers}) {
    const alive = {};
    const rows = [];
    for (const [name, beat] of Object.entries(watchers)) {
      if (!beat) {
        if (heard - silent[name] >= DEAD_SECONDS * 1000) rows.push(dead(name));
      } else if (beat.age_seconds > Math.max(4 * beat.tick_seconds, DEAD_SECONDS)) {
        rows.push(dead(name));
      } else {
        alive[name] = beat;
      }
    }
    if (!answers) rows.unshift({key: "unheard", kind: "quiet", text: "This environment does not answer: it may have stopped."});
    rows.unshift(...lifetimeRows(alive.lifetime, kept));
    if (alive.spot?.warning) rows.unshift(spotRow(alive.spot, heard));
    return rows;
  }

  function dead(name) {
    const text = DEAD[name] ?? `The watcher ${name} is silent.`;
    return {key: `dead ${name}`, kind: "quiet", text: `${text} Whoever runs this fleet wants to know.`};
  }

  function spotRow(beat, heard) {
    const interrupted = beat.state === "interruption";
    const doings = [["hook", "~/on-interruption"], ["sync", "sync"]].filter(([key]) => beat[key]);
    const doing = doings.map(([key, name]) => ` ${sentence(`${name}: ${beat[key]}`)}`).join("");
    const ahead = Date.parse(beat.time) - Date.parse(beat.at) - 1000 * beat.age_seconds;
    const known = interrupted && !Number.isNaN(ahead);
    // The seconds that the warning names run beside it.
    const warning = known ? beat.warning.replace(/ in \d+ s\b/, "") : beat.warning;
    return {
      key: `spot ${beat.state}`,
      kind: interrupted ? "interruption" : "warning",
      text: sentence(warning) + doing,
      deadline: known ? heard + ahead : undefined,
    };
  }

  function lifetimeRows(beat, kept) {
    const idle = beat?.stops_because === "idle";
    if (kept?.state === "asked") return [{key: "asked", kind: "kept", text: "Keeping this environment for an hour …"}];
    const rows = [];
    if (kept?.state === "kept") rows.push({key: "kept", kind: "kept", text: kept.text});
    if (kept?.state === "failed") rows.push({key: "failed", kind: "warning", text: kept.text, keep: !beat?.warning || !idle});
    if (beat?.warning) {
      const late = beat.stops_in_seconds <= Math.min(300, (idle && beat.idle_limit_seconds / 12) || 300);
      const key = `lifetime ${beat.stops_because} ${late}`;
      rows.push({key, kind: "warning", text: sentence(beat.warning), keep: idle});
    }
    return rows;
  }

  function keptText(beat) {
    const end = Date.parse(beat.at) + 1000 * beat.kept_seconds;
    const expires = Date.parse(beat.expires_at);
    if (expires <= end) return `Kept until it expires at ${clock(expires)}: until then it does not stop for being idle.`;
    return `Kept until ${clock(end)}: until then it does not stop for being idle.`;
  }

  // Draws rows. Those that stay keep their elements, so that nobody's focus is lost; screen readers are told
  // of a new message once, and not of each minute in it.
  class Banner {
    constructor(Widget, shell, keep) {
      this.keep = keep;
      this.shown = new Map();
      this.hidden = new Set();
      this.box = element("section", {ariaLabel: "This environment"});
      this.widget = new Widget();
      this.widget.id = NAME;
      this.widget.node.append(this.box);
      this.told = {};
      for (const role of ["status", "alert"]) {
        this.told[role] = element("div", {className: "fleet-told", role});
        document.body.append(this.told[role]);
      }
      document.head.append(element("style", {textContent: STYLE}));
      // The shell gives a header the height that it asks for, whatever its text needs at this width.
      new ResizeObserver(() => {
        this.widget.node.style.minHeight = `${this.box.offsetHeight}px`;
        this.widget.parent?.fit();
      }).observe(this.box);
      this.shell = shell;
    }

    show(rows) {
      this.rows = rows;
      for (const key of this.hidden) if (!rows.some((row) => row.key === key)) this.hidden.delete(key);
      const wanted = rows.filter((row) => !this.hidden.has(row.key));
      const focused = this.box.contains(document.activeElement);
      for (const [key, drawn] of this.shown) {
        if (wanted.some((row) => row.key === key)) continue;
        drawn.node.remove();
        this.shown.delete(key);
      }
      wanted.forEach((row, place) => {
        const drawn = this.shown.get(row.key) ?? this.draw(row);
        if (drawn.text.textContent !== row.text) drawn.text.textContent = row.text;
        drawn.deadline = row.deadline;
        if (this.box.children[place] !== drawn.node) this.box.insertBefore(drawn.node, this.box.children[place] ?? null);
      });
      if (wanted.length && !this.widget.isAttached) this.shell.add(this.widget, "header");
      this.widget.setHidden(!wanted.length);
      if (focused && !this.box.contains(document.activeElement)) this.box.firstElementChild?.focus();
      this.tick();
    }

    draw(row) {
      const text = element("p", {textContent: row.text});
      const timer = element("span", {role: "timer"});
      const node = element("div", {className: `fleet-row fleet-${row.kind}`, tabIndex: -1}, text, timer);
      if (row.keep) {
        node.append(element("button", {className: "fleet-keep", textContent: "Keep for an hour", onclick: this.keep}));
      }
      if (row.kind !== "interruption") {
        const hide = () => {
          this.hidden.add(row.key);
          this.show(this.rows);
        };
        node.append(element("button", {textContent: "Hide", ariaLabel: "Hide this message", onclick: hide}));
      }
      const drawn = {node, text, timer};
      this.shown.set(row.key, drawn);
      this.told[row.kind === "interruption" ? "alert" : "status"].textContent = row.text;
      return drawn;
    }

    tick() {
      clearTimeout(this.ticking);
      let any = false;
      for (const {timer, deadline} of this.shown.values()) {
        timer.hidden = deadline === undefined;
        if (timer.hidden) continue;
        any = true;
        timer.textContent = left(deadline - performance.now());
      }
      if (any) this.ticking = setTimeout(() => this.tick(), 1000);
    }
  }

  // Asks the server, and remembers what it and the person said.
  class Watch {
    constructor(settings, Widget, shell) {
      this.settings = settings;
      this.banner = new Banner(Widget, shell, () => void this.keep());
      this.told = {watchers: {}, heard: 0, silent: {}, kept: null, answers: true};
    }

    async request(method, path) {
      const headers = {};
      const xsrf = document.cookie.match(/\b_xsrf=([^;]*)/);
      if (xsrf) headers["X-XSRFToken"] = xsrf[1];
      if (this.settings.token) headers.Authorization = `token ${this.settings.token}`;
      const options = {method, headers, cache: "no-store", credentials: "same-origin", signal: AbortSignal.timeout(TIMEOUT)};
      return await fetch(`${this.settings.baseUrl}fleet/${path}`, options);
    }

    async look() {
      clearTimeout(this.timer);
      if (document.hidden || this.looking) return;
      this.looking = true;
      try {
        const answer = await this.request("GET", "watchers");
        this.hear(answer.ok ? (await answer.json()).watchers : {});
      } catch {
        this.told.answers = false;
      }
      this.looking = false;
      const rows = this.draw();
      const pace = this.told.kept?.state === "asked" ? "asked" : rows.some((row) => row.kind !== "quiet") ? "warned" : "quiet";
      this.timer = setTimeout(() => void this.look(), 1000 * SECONDS[pace]);
    }

    hear(watchers) {
      const now = performance.now();
      const {silent, kept} = this.told;
      for (const [name, beat] of Object.entries(watchers)) silent[name] = beat ? undefined : silent[name] ?? now;
      Object.assign(this.told, {watchers, heard: now, answers: true});
      const beat = watchers.lifetime;
      if (kept?.state === "asked" && beat?.kept_seconds > 0 && 1000 * beat.age_seconds < now - kept.at) {
        this.told.kept = {state: "kept", at: now, text: keptText(beat)};
      } else if (kept?.state === "asked" && now - kept.at > DEAD_SECONDS * 1000) {
        this.told.kept = {state: "failed", at: now, text: `Not kept: the watcher has not taken it up; ${BY_HAND}.`};
      } else if (kept?.state !== "asked" && now - kept?.at > TOLD_MILLISECONDS) {
        this.told.kept = null;
      }
    }

    draw() {
      const unheard = !this.told.answers && this.banner.shown.size === 0;
      const rows = rowsOf({...this.told, answers: this.told.answers || unheard});
      this.banner.show(rows);
      return rows;
    }

    async keep() {
      if (this.told.kept?.state === "asked") return;
      this.told.kept = {state: "asked", at: performance.now()};
      this.draw();
      let why;
      try {
        const answer = await this.request("POST", "keep");
        why = answer.ok ? null : ((await answer.json().catch(() => null))?.message ?? `the server answers ${answer.status}`);
      } catch {
        why = "the server does not answer";
      }
      const at = performance.now();
      this.told.kept = why === null ? {state: "asked", at} : {state: "failed", at, text: `Not kept: ${why}; ${BY_HAND}.`};
      this.draw();
      await this.look();
    }
  }

  // The shell's own copy of the class: it is shared between all extensions, and provided by JupyterLab.
  async function sharedWidget(scope) {
    const versions = Object.values(scope["@lumino/widgets"]);
    const shared = versions.find((each) => each.loaded) ?? versions[0];
    return (await shared.get())().Widget;
  }

  let scope;
  const container = {
    init: (shared) => void (scope = shared),
    get: async () => {
      const Widget = await sharedWidget(scope);
      const activate = (app) => {
        const watch = new Watch(app.serviceManager.serverSettings, Widget, app.shell);
        document.addEventListener("visibilitychange", () => void watch.look());
        void watch.look();
      };
      return () => ({__esModule: true, default: {id: `${NAME}:plugin`, autoStart: true, activate}});
    },
  };
  window._JUPYTERLAB = Object.assign(window._JUPYTERLAB ?? {}, {[NAME]: container});
})();
