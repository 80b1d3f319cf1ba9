// The dashboard's script. Data from the API only ever becomes text nodes, never markup.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const TOKEN = "ztoq-token";
const OVER = ["completed", "failed", "cancelled", "rolled-back"];
const KINDS = {
  folder: "Folders",
  testCase: "Test cases",
  testPlan: "Test plans",
  testCycle: "Test cycles",
  execution: "Executions",
  executionStep: "Execution steps",
  attachment: "Attachments",
  link: "Links",
};
const ENDS = {
  created: "created",
  updated: "updated",
  unchanged: "unchanged",
  withoutTarget: "kept elsewhere",
  setAside: "set aside",
};
const RESULTS = {
  0: "done",
  3: "done; some records were set aside",
  4: "the target differs from the source",
};

// ---------------------------------------------------------------- elements and words

/** Makes an element; strings become text. */
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value);
    }
  }
  element.append(
    ...children.flat().filter((child) => child !== null).map((child) =>
      child instanceof Node ? child : String(child)
    ),
  );
  return element;
}

const count = (value) => Math.round(value ?? 0).toLocaleString("en");

function duration(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(0)} s`;
  const minutes = Math.round(ms / 60_000);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function speed(perSecond) {
  return perSecond >= 1 ? `${count(perSecond)}/s` : `${(perSecond * 60).toFixed(0)}/min`;
}

const time = (iso) =>
  new Date(iso).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });

function toast(text) {
  const note = h("p", {}, text);
  $("#toast").replaceChildren(note);
  setTimeout(() => note.remove(), 6000);
}

// ---------------------------------------------------------------- the API

class Refusal extends Error {
  constructor(status, problem) {
    super(
      [problem.detail ?? `The server answered ${status}`, problem.hint].filter(Boolean).join(" "),
    );
    this.status = status;
    this.errors = problem.errors ?? [];
  }
}

const token = () => sessionStorage.getItem(TOKEN);

async function send(path, { method = "GET", body, headers = {}, signal } = {}) {
  const answer = await fetch(path, {
    method,
    signal,
    headers: {
      ...headers,
      ...(token() ? { authorization: `Bearer ${token()}` } : {}),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (answer.ok) return answer;
  const refusal = new Refusal(answer.status, await answer.json().catch(() => ({})));
  if (answer.status === 401) askToken(refusal.message);
  throw refusal;
}

const get = async (path) => (await send(path)).json();
const runPath = (id, rest = "") => `/v1/migrations/${encodeURIComponent(id)}${rest}`;

async function* eventStream(id, lastId, signal) {
  const answer = await send(runPath(id, "/events"), {
    signal,
    headers: {
      accept: "text/event-stream",
      ...(lastId === null ? {} : { "last-event-id": lastId }),
    },
  });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (data !== undefined) {
        yield { id: /^id: (.*)$/m.exec(block)?.[1] ?? null, data: JSON.parse(data) };
      }
    }
  }
}

// ---------------------------------------------------------------- dialogs

function askToken(message) {
  const dialog = $("#token-dialog");
  $("#token-wrong").textContent = token() ? message : "";
  sessionStorage.removeItem(TOKEN);
  if (!dialog.open) dialog.showModal();
  $("#token").focus();
}

$("#token-dialog form").addEventListener("submit", () => {
  sessionStorage.setItem(TOKEN, $("#token").value.trim());
  $("#token").value = "";
  $("#sign-out").hidden = false;
  route();
});
$("#token-dialog").addEventListener("cancel", (event) => event.preventDefault());
$("#sign-out").addEventListener("click", () => {
  sessionStorage.removeItem(TOKEN);
  $("#sign-out").hidden = true;
  leave();
  $("#run").hidden = $("#overview").hidden = true;
  askToken("");
});

/** Asks before anything is changed. `act` gets the form's values; its refusal keeps the dialog open. */
function confirm({ title, text, yes, danger = false, fields = [], act }) {
  const dialog = $("#confirm-dialog");
  $("#confirm-title").textContent = title;
  $("#confirm-text").textContent = text;
  $("#confirm-wrong").textContent = "";
  const button = $("#confirm-yes");
  button.textContent = yes;
  button.className = danger ? "danger" : "primary";
  $("#confirm-fields").replaceChildren(
    ...fields.flatMap(({ name, label, hint, options, ...rest }) => {
      const id = `field-${name}`;
      const described = hint === undefined ? {} : { "aria-describedby": `${id}-hint` };
      const control = options === undefined
        ? h("input", { id, name, autocomplete: "off", ...described, ...rest })
        : h(
          "select",
          { id, name, ...described },
          options.map(([value, word]) => h("option", { value }, word)),
        );
      return [
        h("label", { for: id }, label),
        control,
        ...(hint === undefined ? [] : [h("p", { class: "hint", id: `${id}-hint` }, hint)]),
      ];
    }),
  );
  const form = $("form", dialog);
  form.onsubmit = async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      await act(Object.fromEntries(new FormData(form)));
      dialog.close();
    } catch (error) {
      $("#confirm-wrong").textContent = error.message;
    } finally {
      button.disabled = false;
    }
  };
  dialog.showModal();
  $("input, select", dialog)?.focus();
}
$("#confirm-no").addEventListener("click", () => $("#confirm-dialog").close());
$("#story-close").addEventListener("click", () => $("#story-dialog").close());

// ---------------------------------------------------------------- all runs

let leaving = new AbortController();

/** Stops everything that the page before had going. */
function leave() {
  leaving.abort();
  leaving = new AbortController();
  return leaving.signal;
}

function stateBadge(run) {
  const [word, tone] = run.interrupted
    ? [`${run.state}, interrupted`, "fair"]
    : run.state === "completed"
    ? run.result
      ? ["completed with remarks", run.result === 3 ? "fair" : "bad"]
      : ["completed", "good"]
    : [run.state, { failed: "bad", cancelled: "bad", paused: "fair" }[run.state] ?? ""];
  return { word, tone };
}

async function showOverview() {
  const signal = leave();
  document.title = "ztoq";
  $("#run").hidden = true;
  $("#overview").hidden = false;
  const draw = async () => {
    const { runs } = await get("/v1/migrations?limit=200");
    if (signal.aborted) return;
    online(true);
    $("#runs").replaceChildren(
      ...(runs.length === 0
        ? [
          h(
            "div",
            { class: "empty" },
            h("p", {}, "No migration yet."),
            h("p", { class: "quiet" }, "Start one with New migration, or with ztoq migrate."),
          ),
        ]
        : runs.map(runCard)),
    );
  };
  await repeat(draw, 3000, signal);
}

function runCard(run) {
  const { word, tone } = stateBadge(run);
  return h(
    "a",
    { class: "run-card", href: `#/runs/${encodeURIComponent(run.runId)}` },
    h("b", {}, `${run.source} → ${run.target}`),
    h("span", { class: `state ${tone}` }, word),
    h(
      "span",
      { class: "quiet" },
      `${run.runId} · started ${time(run.createdAt)} · worked ${duration(run.workedMs)}`,
    ),
  );
}

/** Calls again and again while the page is shown; a failure is told and tried again. */
async function repeat(work, everyMs, signal) {
  while (!signal.aborted) {
    try {
      await work();
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Refusal && [401, 403, 404].includes(error.status)) {
        if (error.status !== 401) toast(error.message);
        return;
      }
      online(false);
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

function online(isOn) {
  const link = $("#link");
  link.className = isOn ? "link" : "link off";
  link.textContent = isOn ? "" : "The server does not answer; trying again.";
}

$("#new-run").addEventListener("click", () =>
  confirm({
    title: "New migration",
    text:
      "Empty fields stay as configured on the server. An unfinished run of the same projects goes on.",
    yes: "Start",
    fields: [
      { name: "project", label: "Source project", placeholder: "as configured" },
      {
        name: "qtest",
        label: "qTest project id",
        placeholder: "as configured",
        inputmode: "numeric",
      },
      {
        name: "executions",
        label: "Executions",
        options: [["", "as configured"], ["all", "all"], ["last", "the last of each case"], [
          "none",
          "none",
        ]],
      },
      {
        name: "sourceRate",
        label: "Source requests per minute",
        placeholder: "as configured",
        inputmode: "numeric",
      },
      {
        name: "targetRate",
        label: "Target requests per minute",
        placeholder: "as configured",
        inputmode: "numeric",
      },
    ],
    act: async ({ project, qtest, executions, sourceRate, targetRate }) => {
      const body = {
        ...(project || sourceRate
          ? {
            source: {
              ...(project ? { projectKey: project.trim() } : {}),
              ...(sourceRate ? { requestsPerMinute: number(sourceRate) } : {}),
            },
          }
          : {}),
        ...(qtest || targetRate
          ? {
            target: {
              ...(qtest ? { projectId: qtest.trim() } : {}),
              ...(targetRate ? { requestsPerMinute: number(targetRate) } : {}),
            },
          }
          : {}),
        ...(executions ? { include: { executions } } : {}),
      };
      const run = await (await send("/v1/migrations", { method: "POST", body })).json();
      location.hash = `#/runs/${encodeURIComponent(run.runId)}`;
    },
  }));

/** A number as JSON; what is none goes as text, and the server says what it wants. */
function number(text) {
  const value = Number(text);
  return text.trim() !== "" && Number.isFinite(value) ? value : text;
}

// ---------------------------------------------------------------- one run

let run = null;
let samples = [];
let liveStages = [];
let eventRows = [];
let tab = "errors";

async function showRun(id) {
  const signal = leave();
  run = null;
  samples = [];
  liveStages = [];
  eventRows = [];
  $("#overview").hidden = true;
  $("#run-title").textContent = "";
  let isStale = true;
  const refresh = async () => {
    if (!isStale && run !== null && OVER.includes(run.state)) return;
    isStale = false;
    const before = run;
    const fresh = await get(runPath(id));
    if (signal.aborted) return;
    run = fresh;
    online(true);
    $("#run").hidden = false;
    sample();
    drawRun();
    if (before === null || panelNeeds(before, run)) {
      drawPanel().catch((error) => toast(error.message));
    }
  };
  follow(id, signal, () => isStale = true);
  await repeat(refresh, 1000, signal);
}

/** Follows the events of a run, across broken connections. */
async function follow(id, signal, onChange) {
  let lastId = null;
  await repeat(
    async () => {
      for await (const event of eventStream(id, lastId, signal)) {
        if (event.id !== null) lastId = event.id;
        if (event.data.type === "progress") liveStages = withMoved(liveStages, event.data.stages);
        else if (event.id !== null) {
          eventRows.unshift(event.data);
          if (tab === "events") drawPanel();
        }
        onChange();
      }
      // The stream ends with the run; somebody may start it again.
      await new Promise((resolve) => setTimeout(resolve, 4000));
    },
    1000,
    signal,
  );
}

/** Progress names only the stages that moved. */
function withMoved(stages, moved) {
  const byName = new Map([...stages, ...moved].map((stage) => [stage.stage, stage]));
  return [...byName.values()];
}

function finished({ counts }) {
  return Object.values(counts).reduce(
    (sum, kind) => sum + Object.keys(ENDS).reduce((n, end) => n + kind[end], 0),
    0,
  );
}

function sample() {
  samples.push({ at: Date.now(), ...run.requests, records: finished(run) });
  if (samples.length > 240) samples.shift();
}

function drawRun() {
  const { word, tone } = stateBadge(run);
  document.title = `${word} · ${run.source} · ztoq`;
  $("#run-title").textContent = `${run.source} → ${run.target}`;
  setText($("#run-state"), word);
  $("#run-state").className = `state ${tone}`;
  $("#run-about").textContent =
    `${run.runId} · started ${time(run.createdAt)} · worked ${duration(run.workedMs)}` +
    (run.holder === null ? "" : ` · process ${run.holder.pid} on ${run.holder.host}`);
  drawNotice();
  drawButtons();
  drawPhases();
  drawSystems();
  drawKinds();
  drawStages();
  drawTabs();
}

/** Leaves alone what says the same, so that screen readers are not told twice. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function drawNotice() {
  const { state, reason, waiting, interrupted, result, desired } = run;
  const [text, tone] = state === "completed"
    ? [`Finished: ${RESULTS[result] ?? `exit code ${result}`}.`, result ? "" : "good"]
    : interrupted
    ? [
      `No process works on this run.${
        reason ? ` Last word: ${reason}.` : ""
      } Resume goes on where it stopped.`,
      "",
    ]
    : state === "paused"
    ? [`Paused: ${reason ?? "by request"}`, ""]
    : state === "failed" || state === "cancelled"
    ? [`${state === "failed" ? "Failed" : "Cancelled"}: ${reason ?? "no reason given"}`, "bad"]
    : desired === "paused"
    ? ["Pauses after the work in hand.", ""]
    : waiting
    ? [`Waits: ${waiting}`, ""]
    : ["", ""];
  const box = $("#run-notice");
  if (box.textContent !== text) {
    box.replaceChildren(...(text === "" ? [] : [h("p", { class: `notice ${tone}` }, text)]));
  }
}

function drawButtons() {
  const { state, interrupted, desired, phases } = run;
  const isOver = OVER.includes(state);
  const isBack = ["cancelled", "rolled-back", "rolling-back"].includes(state);
  const works = !isOver && !interrupted && state !== "paused";
  const enabled = {
    pause: works && desired === "running",
    resume: state === "paused" || interrupted || state === "failed" ||
      desired === "paused" && !isOver,
    limits: !isOver,
    validate: phases.load === "done" && !works && !isBack,
    retry: run.setAside > 0 && !works && !isBack,
    cancel: !isOver,
    rollback: !works && !["paused", "rolled-back"].includes(state),
  };
  for (const button of $$("[data-verb]")) button.disabled = !enabled[button.dataset.verb];
}

function drawPhases() {
  const stages = liveStages.length > 0 ? liveStages : run.progress;
  for (const item of $$("#phases li")) {
    const phase = item.dataset.phase;
    const own = stages.filter((stage) => stage.phase === phase);
    const done = own.reduce((sum, stage) => sum + stage.done, 0);
    const total = own.reduce((sum, stage) => sum + (stage.total ?? stage.done), 0);
    const isDone = run.phases[phase] === "done";
    const share = isDone ? 100 : Math.min(99, Math.floor(shareOf(phase, done, total) * 100));
    const open = own.filter((stage) => stage.total === null || stage.done < stage.total);
    const rate = open.reduce((sum, stage) => sum + stage.rate, 0);
    const eta = Math.max(0, ...open.map((stage) => stage.etaMs ?? 0));
    const isActive = !isDone && own.length > 0;
    item.dataset.state = isDone ? "done" : isActive ? "active" : "pending";
    const bar = $(".bar", item);
    bar.setAttribute("aria-valuenow", share);
    $("span", bar).style.setProperty("width", `${share}%`);
    const waiting = open.find((stage) => stage.waiting)?.waiting;
    const words = isDone ? ["done"] : !isActive ? ["not started"] : [
      `${share} %`,
      OVER.includes(run.state) || run.state === "paused" ? null : rate > 0 ? speed(rate) : null,
      eta > 0 && rate > 0 && !OVER.includes(run.state) && run.state !== "paused"
        ? `about ${duration(eta)} left`
        : null,
      rate === 0 && waiting && run.state !== "paused" ? `waits: ${waiting}` : null,
    ];
    setText($("p", item), words.filter(Boolean).join(" · "));
  }
}

/** How far a phase is. Stages plan their work as they go, so writing is measured by records read. */
function shareOf(phase, done, total) {
  const kinds = Object.values(run.counts);
  const read = kinds.reduce((sum, kind) => sum + kind.extracted, 0);
  if (phase === "load") return read === 0 ? 0 : finished(run) / read;
  if (phase === "transform") {
    return read === 0 ? 0 : kinds.reduce((sum, kind) => sum + kind.transformed, 0) / read;
  }
  return total > 0 ? done / total : 0;
}

function drawSystems() {
  for (const system of ["source", "target"]) {
    const card = $(`[data-system="${system}"]`);
    const { requestsPerMinute, configured } = run.limits[system];
    setText($("b", card), count(run.requests[system]));
    const now = perMinute(system);
    const limit = requestsPerMinute === null
      ? "limit not known"
      : `limit ${count(requestsPerMinute)}/min` +
        (requestsPerMinute === configured ? "" : ` (configured ${count(configured)})`);
    const why = run.limits.schedule === null ? "" : `, ${run.limits.schedule}`;
    setText($(".rate", card), `${now === null ? "" : `${count(now)}/min now, `}${limit}${why}`);
    spark($(".spark", card), system, "requests per minute");
  }
  const card = $('[data-system="records"]');
  const extracted = Object.values(run.counts).reduce((sum, kind) => sum + kind.extracted, 0);
  setText($("b", card), count(finished(run)));
  setText($(".figure span", card), `of ${count(extracted)} read so far`);
  const now = perMinute("records");
  const eta = run.etaMs === null || OVER.includes(run.state) || run.state === "paused"
    ? ""
    : `, about ${duration(run.etaMs)} left in the open stages`;
  setText($(".rate", card), `${now === null ? "" : `${count(now)}/min now${eta}`}`);
  spark($(".spark", card), "records", "records per minute");
}

/** Rate over the last samples, per minute; null when nothing can be said yet. */
function perMinute(name, end = samples.length - 1) {
  const to = samples[end];
  const from = samples[Math.max(0, end - 5)];
  if (to === undefined || to.at - from.at < 900) return null;
  if (end === samples.length - 1 && OVER.includes(run.state)) return null;
  return Math.max(0, to[name] - from[name]) * 60_000 / (to.at - from.at);
}

function spark(svg, name, what) {
  const values = samples.map((_, index) => perMinute(name, index) ?? 0);
  const top = Math.max(1, ...values);
  const step = 240 / Math.max(1, values.length - 1);
  const points = values.map((value, index) =>
    `${(index * step).toFixed(1)},${(42 - value / top * 38).toFixed(1)}`
  );
  const make = (tag, attributes) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  svg.setAttribute("aria-label", `${what} since this page was opened, at most ${count(top)}`);
  svg.replaceChildren(
    make("line", { class: "base", x1: 0, x2: 240, y1: 42, y2: 42 }),
    ...(points.length < 2 ? [] : [
      make("polygon", { class: "area", points: `0,42 ${points.join(" ")} 240,42` }),
      make("polyline", { class: "line", points: points.join(" ") }),
    ]),
  );
}

function drawKinds() {
  const rows = Object.entries(KINDS).filter(([kind]) => run.counts[kind].extracted > 0).map(
    ([kind, label]) => {
      const counts = run.counts[kind];
      const bar = h("div", {
        class: "bar",
        role: "img",
        "aria-label": Object.entries(ENDS).map(([end, word]) => `${counts[end]} ${word}`).join(
          ", ",
        ),
      });
      for (const end of Object.keys(ENDS)) {
        if (counts[end] === 0) continue;
        const part = h("span", { class: end });
        part.style.setProperty("width", `${counts[end] / counts.extracted * 100}%`);
        bar.append(part);
      }
      return h(
        "tr",
        {},
        h("th", { scope: "row" }, label),
        h("td", { class: "n" }, count(counts.extracted)),
        ...Object.keys(ENDS).map((end) => h("td", { class: "n" }, count(counts[end]))),
        h("td", {}, bar),
      );
    },
  );
  $("#kinds").replaceChildren(
    rows.length === 0 ? h("p", { class: "legend" }, "Nothing was read yet.") : h(
      "div",
      {},
      h(
        "table",
        {},
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            h("th", { scope: "col" }, "Kind"),
            h("th", { scope: "col", class: "n" }, "Read"),
            ...Object.values(ENDS).map((word) => h("th", { scope: "col", class: "n" }, word)),
            h("th", { scope: "col" }, "Share"),
          ),
        ),
        h("tbody", {}, rows),
      ),
      h(
        "div",
        { class: "legend", "aria-hidden": "true" },
        Object.entries(ENDS).map(([end, word]) => h("span", {}, h("i", { class: end }), word)),
      ),
    ),
  );
}

function drawStages() {
  const stages = (liveStages.length > 0 ? liveStages : run.progress)
    .filter((stage) => stage.total === null || stage.done < stage.total);
  $("#stages").hidden = stages.length === 0 || OVER.includes(run.state);
  $("#stages .wide").replaceChildren(table(
    ["Stage", "Done", "Of", "Rate", "Waits"],
    stages.map((stage) => [
      stage.stage,
      { n: stage.done },
      { n: stage.total ?? "" },
      stage.rate > 0 ? speed(stage.rate) : "",
      stage.waiting ?? "",
    ]),
  ));
}

/** A table; cells are text, `{ n }` numbers, or elements. */
function table(head, rows) {
  return h(
    "table",
    {},
    h("thead", {}, h("tr", {}, head.map((title) => h("th", { scope: "col" }, title)))),
    h(
      "tbody",
      {},
      rows.map((row) =>
        h(
          "tr",
          {},
          row.map((cell) =>
            cell instanceof Node
              ? h("td", {}, cell)
              : typeof cell === "object" && cell !== null
              ? h("td", { class: "n" }, typeof cell.n === "number" ? count(cell.n) : cell.n)
              : h("td", { class: "text" }, cell ?? "")
          ),
        )
      ),
    ),
  );
}

// ---------------------------------------------------------------- results

function lossCount({ losses }) {
  return Object.values(losses).reduce((sum, value) => sum + value, 0);
}

function panelNeeds(before, now) {
  return before.setAside !== now.setAside || lossCount(before) !== lossCount(now) ||
    before.state !== now.state;
}

function drawTabs() {
  const counts = { errors: run.setAside, losses: lossCount(run), events: eventRows.length };
  for (const button of $$("[data-tab]")) {
    const name = button.dataset.tab;
    const isOn = name === tab;
    button.setAttribute("aria-selected", isOn);
    button.tabIndex = isOn ? 0 : -1;
    const text = name in counts ? count(counts[name]) : "";
    setText($(".count", button), text);
  }
  $("#panel").setAttribute("aria-labelledby", `tab-${tab}`);
}

const tablist = $("[role=tablist]");
tablist.addEventListener("click", (event) => {
  const button = event.target.closest("[data-tab]");
  if (button !== null) openTab(button.dataset.tab);
});
tablist.addEventListener("keydown", (event) => {
  const move = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (move === undefined) return;
  const names = $$("[data-tab]").map((button) => button.dataset.tab);
  openTab(names[(names.indexOf(tab) + move + names.length) % names.length]);
  $(`#tab-${tab}`).focus();
});

function openTab(name) {
  tab = name;
  lossRule = null;
  drawTabs();
  drawPanel().catch((error) => toast(error.message));
}

let lossRule = null;
let panelTurn = 0;

async function drawPanel() {
  if (run === null) return;
  const turn = ++panelTurn;
  const content = await PANELS[tab]();
  if (turn === panelTurn) $("#panel").replaceChildren(...content);
}

const PANELS = {
  errors: () =>
    pages(
      "errors",
      "/errors",
      (row) => [keyButton(row.key), row.kind, row.phase, row.reason, row.message],
      ["Record", "Kind", "Phase", "Reason", "Message"],
      "Nothing was set aside.",
    ),
  losses: async () => [
    rules(),
    ...await pages(
      "losses",
      lossRule === null ? "/losses" : `/losses?rule=${encodeURIComponent(lossRule)}`,
      (row) => [keyButton(row.key), row.rule, row.field, row.before ?? "", row.after ?? ""],
      ["Record", "Rule", "Field", "Before", "After"],
      "Nothing was lost.",
    ),
  ],
  differences: () =>
    pages(
      "differences",
      "/differences",
      (
        row,
      ) => [
        keyButton(row.key),
        row.kind,
        row.verdict,
        row.field ?? "",
        row.expected ?? "",
        row.actual ?? "",
      ],
      ["Record", "Kind", "Verdict", "Field", "Expected", "Found"],
      run.phases.validate === "done"
        ? "The target is as it should be."
        : "No differences so far; validation is not done.",
    ),
  events: () =>
    Promise.resolve([
      eventRows.length === 0 ? h("p", { class: "quiet" }, "No events yet.") : h(
        "div",
        { class: "wide" },
        table(
          ["Time", "Event", ""],
          eventRows.slice(0, 300).map((
            event,
          ) => [new Date(event.at).toLocaleTimeString("en-GB"), event.type, eventText(event)]),
        ),
      ),
    ]),
};

function eventText({ type, state, reason, stage, action, by, event, message }) {
  if (type === "state") return [state, reason].filter(Boolean).join(": ");
  if (type === "stage") return `${stage} done`;
  if (type === "audit") return `${action} by ${by}`;
  return [event, message].filter(Boolean).join(": ");
}

function rules() {
  const choices = Object.entries(run.losses).sort(([, a], [, b]) => b - a);
  return h(
    "div",
    { class: "rules", role: "group", "aria-label": "Loss rules" },
    choices.map(([rule, amount]) =>
      h("button", {
        type: "button",
        "aria-pressed": String(rule === lossRule),
        onclick: () => {
          lossRule = rule === lossRule ? null : rule;
          drawPanel().catch((error) => toast(error.message));
        },
      }, `${rule} ${count(amount)}`)
    ),
  );
}

/** A list in pages, with a button for the next one. */
async function pages(member, path, cellsOf, head, nothing) {
  const id = run.runId;
  const read = (cursor) =>
    get(
      runPath(
        id,
        `${path}${path.includes("?") ? "&" : "?"}limit=25${
          cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""
        }`,
      ),
    );
  const first = await read(null);
  if (first[member].length === 0) return [h("p", { class: "quiet" }, nothing)];
  const list = table(head, first[member].map(cellsOf));
  let { cursor } = first;
  const more = h("button", {
    type: "button",
    class: "more",
    hidden: cursor === null,
    onclick: async () => {
      const next = await read(cursor);
      cursor = next.cursor;
      more.hidden = cursor === null;
      $("tbody", list).append(...$$("tr", $("tbody", table(head, next[member].map(cellsOf)))));
    },
  }, "Show more");
  return [h("div", { class: "wide", tabindex: "0" }, list), more];
}

function keyButton(key) {
  return h("button", { type: "button", class: "key", onclick: () => showStory(key) }, key);
}

async function showStory(key) {
  try {
    const { stories } = await get(runPath(run.runId, `/records/${encodeURIComponent(key)}`));
    $("#story-title").textContent = key;
    $("#story").replaceChildren(...stories.flatMap(storyParts));
    $("#story-dialog").showModal();
  } catch (error) {
    toast(error.message);
  }
}

function storyParts(story) {
  const section = (title, ...children) => [h("h3", {}, title), ...children];
  const json = (value) => h("pre", { tabindex: "0" }, JSON.stringify(value, null, 2));
  return [
    h(
      "p",
      { class: "quiet" },
      `${story.kind} ${story.key}${story.id === story.key ? "" : `, id ${story.id}`}`,
    ),
    ...section(
      "In the target",
      story.targets.length === 0 ? h("p", { class: "quiet" }, "Nothing is planned for it.") : h(
        "div",
        { class: "wide" },
        table(
          ["Kind", "State", "Id", "How", "Attempts", "Last answer"],
          story.targets.map((row) => [
            row.kind,
            row.state,
            link(row.targetId ?? "", row.detail?.webUrl),
            row.origin ?? "",
            { n: row.attempt },
            row.lastError ?? "",
          ]),
        ),
      ),
    ),
    ...(story.issues.length === 0 ? [] : section(
      "Problems",
      ...story.issues.map((row) =>
        h("p", { class: "notice bad" }, `${row.reason}: ${row.message}`)
      ),
    )),
    ...(story.losses.length === 0 ? [] : section(
      "Losses",
      h(
        "div",
        { class: "wide" },
        table(
          ["Rule", "Field", "Before", "After"],
          story.losses.map((row) => [row.rule, row.field, row.before ?? "", row.after ?? ""]),
        ),
      ),
    )),
    ...section("As the source sent it", json(story.source)),
    ...Object.entries(story.details).filter(([, value]) => value !== null).flatMap((
      [name, value],
    ) => section(`Its ${name}`, json(value))),
  ];
}

/** A link only for addresses that open a page: a script address in data must stay text. */
function link(text, url) {
  return /^https?:\/\//.test(url ?? "")
    ? h("a", { href: url, target: "_blank", rel: "noreferrer noopener" }, text)
    : text;
}

// ---------------------------------------------------------------- control

const VERBS = {
  pause: {
    title: "Pause this migration?",
    text: "The work in hand is finished first. Nothing is lost; resume goes on where it stopped.",
    yes: "Pause",
    fields: [{
      name: "reason",
      label: "Reason",
      hint: "Shown to everybody who looks at this run.",
    }],
    body: ({ reason }) => (reason ? { reason } : {}),
  },
  resume: { title: "Resume this migration?", text: "It goes on where it stopped.", yes: "Resume" },
  validate: {
    title: "Validate again?",
    text: "Reads the target and compares every record with the source. Writes nothing.",
    yes: "Validate",
  },
  retry: {
    title: "Retry set-aside records?",
    text: "Tries every record that was set aside again, with what depends on it.",
    yes: "Retry",
  },
  cancel: {
    title: "Cancel this migration?",
    text: "It ends for good. What was written to the target stays there.",
    yes: "Cancel the migration",
    danger: true,
  },
  rollback: {
    title: "Roll back this migration?",
    text:
      "Deletes from the target what this run created, newest first. What people edited since stays and is reported.",
    yes: "Delete what it created",
    danger: true,
  },
};

for (const button of $$("[data-verb]")) {
  button.addEventListener(
    "click",
    () => (button.dataset.verb === "limits" ? askLimits() : askVerb(button.dataset.verb)),
  );
}

function askVerb(verb) {
  const { body = () => ({}), ...words } = VERBS[verb];
  confirm({
    ...words,
    act: async (values) => {
      run =
        await (await send(runPath(run.runId, `/${verb}`), { method: "POST", body: body(values) }))
          .json();
      drawRun();
      toast(`${words.yes}: asked for.`);
      if (verb === "validate" || verb === "retry" || verb === "rollback") {
        route();
      }
    },
  });
}

function askLimits() {
  const field = (system) => ({
    name: system,
    label: `${system === "source" ? "Source" : "Target"} requests per minute`,
    value: run.limits[system].requestsPerMinute ?? "",
    type: "number",
    min: 1,
    max: 1_000_000,
    hint: `Configured: ${run.limits[system].configured ?? "not known"}. Empty returns to it.`,
  });
  confirm({
    title: "Change limits",
    text: "Effective on the next request, evenly spaced.",
    yes: "Apply",
    fields: [field("source"), field("target")],
    act: async (values) => {
      const change = Object.fromEntries(
        ["source", "target"].map((
          system,
        ) => [system, {
          requestsPerMinute: values[system] === "" ? null : number(values[system]),
        }]),
      );
      run = await (await send(runPath(run.runId, "/limits"), { method: "PATCH", body: change }))
        .json();
      drawRun();
      toast("The new limits are in force.");
    },
  });
}

$("#explain").addEventListener("submit", (event) => {
  event.preventDefault();
  showStory($("#explain-key").value.trim());
});

for (const button of $$("[data-download]")) {
  button.addEventListener("click", async () => {
    const { download, format } = button.dataset;
    try {
      const answer = await send(runPath(run.runId, `/${download}?format=${format}`));
      const address = URL.createObjectURL(await answer.blob());
      h("a", { href: address, download: `${download}-${run.runId}.${format}` }).click();
      setTimeout(() => URL.revokeObjectURL(address), 10_000);
    } catch (error) {
      toast(error.message);
    }
  });
}

// ---------------------------------------------------------------- start

function route() {
  const [, id] = /^#\/runs\/(.+)$/.exec(location.hash) ?? [];
  if (document.documentElement.dataset.needsToken === "true" && !token()) {
    askToken("");
    return;
  }
  $("#sign-out").hidden = !token();
  if (id === undefined) showOverview();
  else showRun(decodeURIComponent(id));
}
addEventListener("hashchange", () => {
  route();
  $("#main").focus();
});
route();
