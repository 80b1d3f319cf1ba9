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
const KIND_WORDS = {
  folder: "Folder",
  testCase: "Test case",
  testPlan: "Test plan",
  testCycle: "Test cycle",
  execution: "Execution",
  executionStep: "Execution step",
  attachment: "Attachment",
  link: "Link",
};
const ENDS = {
  created: "Created",
  updated: "Updated",
  unchanged: "Unchanged",
  withoutTarget: "Kept elsewhere",
  setAside: "Set aside",
};
const RESULTS = {
  0: "Completed. Every record has its place, and validation found no difference.",
  3: "Completed, but some records were set aside. They are listed below with the reason.",
  4: "Completed, but validation found differences. They are listed below under Validation.",
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
      [problem.detail ?? `The server answered ${status}`, problem.hint].filter(Boolean)
        .map((text) => (/[.!?]$/.test(text) ? text : `${text}.`)).join(" "),
    );
    this.status = status;
    this.errors = problem.errors ?? [];
  }
}

const token = () => sessionStorage.getItem(TOKEN);
/** What the token may do, as the last answer said. */
let role = "operate";

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
  role = answer.headers.get("x-ztoq-role") ?? role;
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
  only("none");
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

const SHOWN_RUNS = 200;

async function showOverview() {
  const signal = leave();
  document.title = "ztoq";
  only("overview");
  const draw = async () => {
    const { runs, cursor } = await get(`/v1/migrations?limit=${SHOWN_RUNS}`);
    if (signal.aborted) return;
    online(true);
    drawRole();
    // The focus stays where it is: a list that is drawn again must not throw keyboard users out.
    const focused = document.activeElement?.getAttribute("href");
    $("#runs").replaceChildren(
      ...(runs.length === 0 ? [emptyList()] : byPair(runs).map(pairCard)),
      ...(cursor === null
        ? []
        : [h("p", { class: "quiet" }, `The newest ${SHOWN_RUNS} runs; ztoq runs lists all.`)]),
    );
    if (focused) $(`#runs a[href="${CSS.escape(focused)}"]`)?.focus();
  };
  await repeat(draw, 3000, signal);
}

/** Shows one of the sections of the page. */
function only(name) {
  for (const id of ["overview", "run", "trouble"]) $(`#${id}`).hidden = id !== name;
}

function emptyList() {
  return h(
    "div",
    { class: "empty" },
    h("p", { class: "lead" }, "No migration yet"),
    h(
      "p",
      { class: "quiet" },
      "Start one with New migration above, or with ztoq migrate on the command line.",
    ),
  );
}

/** Runs of one source and target together; the pair with the newest run first. */
function byPair(runs) {
  return [...Map.groupBy(runs, ({ source, target }) => `${source} → ${target}`)];
}

function pairCard([title, runs]) {
  return h(
    "section",
    { class: "pair", "aria-label": title },
    h("h2", {}, title),
    runs.map(runCard),
  );
}

function runCard(run) {
  const { word, tone } = stateBadge(run);
  const reason = run.state === "completed" ? null : run.reason;
  return h(
    "a",
    { class: "run-card", href: `#/runs/${encodeURIComponent(run.runId)}` },
    h("b", {}, `Started ${time(run.createdAt)}`),
    h("span", { class: `state ${tone}` }, word),
    h(
      "span",
      { class: "quiet" },
      `${run.runId} · worked ${duration(run.workedMs)}` +
        (run.result === null ? "" : ` · exit code ${run.result}`),
    ),
    reason === null ? null : h("span", { class: "why" }, reason),
    h(
      "span",
      { class: "steps" },
      Object.entries(run.phases).map(([phase, state]) =>
        h("span", { class: state }, `${phase} ${state}`)
      ),
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
        if (error.status !== 401) showTrouble(error);
        return;
      }
      online(false);
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/** Says why there is nothing to see. */
function showTrouble(error) {
  leave();
  only("trouble");
  $("#trouble-title").textContent = error.status === 404
    ? "This run is not here"
    : "The server refuses";
  $("#trouble-text").textContent = error.status === 404
    ? "The database of this server has no run with the id in the address. Go back to all migrations to see which it has."
    : error.message;
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
  only("none");
  let isStale = true;
  const refresh = async () => {
    if (!isStale && run !== null && OVER.includes(run.state)) return;
    isStale = false;
    const before = run;
    const fresh = await get(runPath(id));
    if (signal.aborted) return;
    run = fresh;
    online(true);
    only("run");
    drawRole();
    sample();
    drawRun();
    if (before === null) drawPanel().catch((error) => toast(error.message));
    else if (panelNeeds(before, run)) renewPanel();
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
          if (tab === "events") renewPanel();
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
    ? [RESULTS[result ?? 0] ?? `Completed with exit code ${result}.`, result ? "" : "good"]
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
  for (const button of $$("[data-verb]")) {
    button.disabled = role !== "operate" || !enabled[button.dataset.verb];
  }
}

/** A token that may only look gets no buttons that would be refused. */
function drawRole() {
  const isViewer = role !== "operate";
  $("#new-run").hidden = isViewer;
  $("#role").hidden = !isViewer;
}

function drawPhases() {
  const stages = liveStages.length > 0 ? liveStages : run.progress;
  for (const item of $$("#phases li")) {
    const phase = item.dataset.phase;
    const own = stages.filter((stage) => stage.phase === phase);
    const state = run.phases[phase];
    const share = state === "done" ? 100 : Math.min(99, Math.floor(shareOf(phase, own) * 100));
    item.dataset.state = state;
    const bar = $(".bar", item);
    bar.setAttribute("aria-valuenow", share);
    $("span", bar).style.setProperty("width", `${share}%`);
    const words = state === "done"
      ? ["done"]
      : state === "active" || share > 0
      ? phaseWords(phase, own, share)
      : ["not started"];
    setText($("p", item), words.filter(Boolean).join(" · "));
  }
}

function phaseWords(phase, own, share) {
  const open = own.filter((stage) => stage.total === null || stage.done < stage.total);
  const rate = open.reduce((sum, stage) => sum + stage.rate, 0);
  const isMoving = !OVER.includes(run.state) && run.state !== "paused" && !run.interrupted;
  const waiting = open.find((stage) => stage.waiting)?.waiting;
  // Another process works on it: its counts are known, its stages are not.
  const head = own.length === 0 && phase === "extract"
    ? `${count(extractedOf(run))} records read`
    : own.length === 0 && phase === "validate"
    ? "under way"
    : `${share} %`;
  if (!isMoving) return [head, run.interrupted || run.state === "paused" ? "stands still" : null];
  return [
    head,
    rate > 0 ? speed(rate) : null,
    timeLeft(phase, open, rate),
    rate === 0 && waiting ? `waits: ${waiting}` : null,
  ];
}

/** In words, how long a phase will take; what is written is counted in records, not in stages. */
function timeLeft(phase, open, rate) {
  if (phase === "load") {
    const pace = perMinute("records");
    if (!pace) return null;
    const left = (extractedOf(run) - finished(run)) / pace * 60_000;
    // More is still being read, so there is more to write than is known.
    return `${run.phases.extract === "done" ? "about" : "at least"} ${duration(left)} left`;
  }
  const eta = Math.max(0, ...open.map((stage) => stage.etaMs ?? 0));
  return eta > 0 && rate > 0 ? `about ${duration(eta)} left` : null;
}

function extractedOf({ counts }) {
  return Object.values(counts).reduce((sum, kind) => sum + kind.extracted, 0);
}

/** How far a phase is. Stages plan their work as they go, so writing is measured by records read. */
function shareOf(phase, own) {
  const read = extractedOf(run);
  if (phase === "load") return read === 0 ? 0 : finished(run) / read;
  if (phase === "transform") {
    const transformed = Object.values(run.counts).reduce((sum, kind) => sum + kind.transformed, 0);
    return read === 0 ? 0 : transformed / read;
  }
  const done = own.reduce((sum, stage) => sum + stage.done, 0);
  const total = own.reduce((sum, stage) => sum + (stage.total ?? stage.done), 0);
  return total > 0 ? done / total : 0;
}

function drawSystems() {
  // Nothing moves any more: rates and charts would show empty boxes.
  $("#systems").classList.toggle("over", OVER.includes(run.state));
  for (const system of ["source", "target"]) drawSystem(system);
  const card = $('[data-system="records"]');
  const extracted = extractedOf(run);
  setText($("b", card), count(finished(run)));
  setText(
    $(".figure span", card),
    run.phases.extract === "done" ? `of ${count(extracted)}` : `of ${count(extracted)} read so far`,
  );
  const now = perMinute("records");
  setText($(".rate", card), now === null ? "" : `${count(now)}/min now`);
  setShare($(".meter", card), extracted === 0 ? 0 : finished(run) / extracted);
  spark(card, "records", "Records per minute");
}

function drawSystem(system) {
  const card = $(`[data-system="${system}"]`);
  const { requestsPerMinute, configured } = run.limits[system];
  setText($("b", card), count(run.requests[system]));
  const now = perMinute(system);
  const left = run.quota[system];
  const lines = [
    requestsPerMinute === null
      ? now === null ? "" : `${count(now)}/min now`
      : `${now === null ? "" : `${count(now)} of `}${count(requestsPerMinute)}/min allowed`,
    ...(requestsPerMinute === configured
      ? []
      : [`configured ${count(configured)}`, run.limits.schedule ?? ""]),
    left === null ? "" : `${count(left)} left this month`,
  ];
  setText($(".rate", card), lines.filter(Boolean).join(", "));
  setShare($(".meter", card), requestsPerMinute ? (now ?? 0) / requestsPerMinute : 0);
  spark(card, system, "Requests per minute");
}

function setShare(meter, share) {
  $("span", meter).style.setProperty("width", `${Math.min(100, Math.round(share * 100))}%`);
}

/** Counts arrive in batches: a shorter look would jump between nothing and too much. */
const RATE_MS = 15_000;

/** Rate over the last samples, per minute; null when nothing can be said yet. */
function perMinute(name, end = samples.length - 1) {
  const to = samples[end];
  const from = samples.find((one) => to !== undefined && to.at - one.at <= RATE_MS);
  if (to === undefined || from === undefined || to.at - from.at < 2_500) return null;
  if (end === samples.length - 1 && OVER.includes(run.state)) return null;
  return Math.max(0, to[name] - from[name]) * 60_000 / (to.at - from.at);
}

function spark(card, name, what) {
  const svg = $(".spark", card);
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
  const peak = Math.max(0, ...values);
  svg.setAttribute("aria-label", `${what} since this page was opened, at most ${count(peak)}`);
  setText($(".peak", card), peak === 0 ? "" : `peak ${count(peak)}/min since this page was opened`);
  svg.replaceChildren(
    make("line", { class: "base", x1: 0, x2: 240, y1: 42, y2: 42 }),
    ...(points.length < 2 ? [] : [
      make("polygon", { class: "area", points: `0,42 ${points.join(" ")} 240,42` }),
      make("polyline", { class: "line", points: points.join(" ") }),
    ]),
  );
}

function drawKinds() {
  const kinds = Object.entries(KINDS).filter(([kind]) => run.counts[kind].extracted > 0);
  // A column of zeros says nothing; these two are what everybody looks for.
  const ends = Object.keys(ENDS).filter((end) =>
    end === "created" || end === "setAside" || kinds.some(([kind]) => run.counts[kind][end] > 0)
  );
  const head = [
    h("th", { scope: "col" }, "Kind"),
    h("th", { scope: "col", class: "n" }, "Read"),
    ...ends.map((end) =>
      h(
        "th",
        { scope: "col", class: "n" },
        h("i", { class: end, "aria-hidden": "true" }),
        ENDS[end],
      )
    ),
    h("th", { scope: "col" }, "Share"),
  ];
  const rows = kinds.map(([kind, label]) => kindRow(label, run.counts[kind], ends));
  $("#kinds").replaceChildren(
    rows.length === 0
      ? h("p", { class: "nothing" }, "Nothing was read yet.")
      : h("table", {}, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows)),
  );
}

function kindRow(label, counts, ends) {
  const words = ends.map((end) => `${counts[end]} ${ENDS[end].toLowerCase()}`).join(", ");
  const bar = h("div", { class: "bar", role: "img", "aria-label": words });
  for (const end of ends.filter((end) => counts[end] > 0)) {
    const part = h("span", { class: end });
    part.style.setProperty("width", `${counts[end] / counts.extracted * 100}%`);
    bar.append(part);
  }
  const number = (name, value) =>
    h("td", { class: value === 0 ? "n none" : "n", "data-label": name }, count(value));
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, label),
    number("Read", counts.extracted),
    ends.map((end) => number(ENDS[end], counts[end])),
    h("td", { class: "share" }, bar),
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

/** A table; cells are text, `{ n }` numbers, or elements. Narrow screens show each row as a list. */
function table(head, rows) {
  const isNumber = (cell) => typeof cell === "object" && cell !== null && !(cell instanceof Node);
  const cellOf = (cell, index) => {
    const label = { "data-label": head[index] };
    if (cell instanceof Node) return h("td", label, cell);
    if (!isNumber(cell)) return h("td", { class: "text", ...label }, cell ?? "");
    return h("td", { class: "n", ...label }, typeof cell.n === "number" ? count(cell.n) : cell.n);
  };
  const headings = head.map((title, index) =>
    h("th", { scope: "col", class: rows.some((row) => isNumber(row[index])) ? "n" : "" }, title)
  );
  return h(
    "table",
    { class: "rows" },
    h("thead", {}, h("tr", {}, headings)),
    h("tbody", {}, rows.map((row) => h("tr", {}, row.map(cellOf)))),
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
  const names = $$("[data-tab]").map((button) => button.dataset.tab);
  const at = names.indexOf(tab);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  openTab(names.at(to % names.length));
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

/** What changed is shown at once, unless somebody reads further down: then a button offers it. */
function renewPanel() {
  const panel = $("#panel");
  const isInUse = tab !== "events" &&
    (panel.contains(document.activeElement) || panel.dataset.isLong === "true");
  if (!isInUse) {
    drawPanel().catch((error) => toast(error.message));
    return;
  }
  if ($(".renew", panel) !== null) return;
  panel.prepend(h("button", {
    type: "button",
    class: "renew",
    onclick: () => drawPanel().catch((error) => toast(error.message)),
  }, "There is more by now: show it"));
}

async function drawPanel() {
  if (run === null) return;
  const turn = ++panelTurn;
  const content = await PANELS[tab]();
  if (turn !== panelTurn) return;
  $("#panel").replaceChildren(...content);
  $("#panel").dataset.isLong = "false";
}

const PANELS = {
  errors: () =>
    pages(
      "errors",
      "/errors",
      (row) => [
        keyButton(row.key),
        KIND_WORDS[row.kind] ?? row.kind,
        row.phase,
        row.reason,
        row.message,
        retryButton(row.key),
      ],
      ["Record", "Kind", "Phase", "Reason", "Message", ""],
      OVER.includes(run.state) ? "No record was set aside." : "No record was set aside so far.",
    ),
  losses: async () => [
    rules(),
    ...await pages(
      "losses",
      lossRule === null ? "/losses" : `/losses?rule=${encodeURIComponent(lossRule)}`,
      (row) => [keyButton(row.key), row.rule, row.field, row.before ?? "", row.after ?? ""],
      ["Record", "Rule", "Field", "Before", "After"],
      OVER.includes(run.state)
        ? "Every value has its place in the target."
        : "No value was cut, defaulted or left out so far.",
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
        KIND_WORDS[row.kind] ?? row.kind,
        row.verdict,
        row.field ?? "",
        row.expected ?? "",
        row.actual ?? "",
      ],
      ["Record", "Kind", "Verdict", "Field", "Expected", "Found"],
      run.phases.validate === "done"
        ? "Every record was read back from the target and is as it should be."
        : run.phases.validate === "active"
        ? "No differences so far."
        : "Validation compares the target with the source once everything is written.",
    ),
  events: () =>
    Promise.resolve([
      eventRows.length === 0 ? h("p", { class: "quiet" }, "No events yet.") : h(
        "div",
        { class: "wide" },
        table(
          ["Time", "Event", "What happened"],
          eventRows.slice(0, 300).map((
            event,
          ) => [time(event.at), event.type, eventText(event)]),
        ),
      ),
    ]),
};

function eventText(row) {
  const { type, state, reason, stage, action, by, event, message, ok, host, answer, files } = row;
  if (type === "state") return [state, reason].filter(Boolean).join(": ");
  if (type === "stage") return `${stage} done`;
  if (type === "audit") {
    const why = reason ? ` (${reason})` : "";
    return `${action} by ${by}${action === "limits" ? `: ${limitWords(row.limits)}` : why}`;
  }
  if (type === "webhook") {
    return `${ok ? "told" : "could not tell"} ${host} about event ${event}: ${answer}`;
  }
  if (type === "report") return `written: ${files?.report ?? ""}`;
  return [event, message].filter(Boolean).join(": ");
}

function limitWords({ source, target } = {}) {
  return [["source", source], ["target", target]]
    .map(([system, rate]) => `${system} ${rate ? `${count(rate)}/min` : "as configured"}`)
    .join(", ");
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
      $("#panel").dataset.isLong = "true";
      const next = await read(cursor).catch((error) => {
        toast(error.message);
        return null;
      });
      if (next === null) return;
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

function retryButton(key) {
  const isBusy = $('[data-verb="retry"]').disabled;
  return h("button", {
    type: "button",
    class: "small",
    disabled: isBusy,
    "aria-label": `Retry ${key}`,
    title: isBusy ? "Possible when the run does not work" : null,
    onclick: () => askVerb("retry", { keys: [key] }),
  }, "Retry");
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
      `${KIND_WORDS[story.kind] ?? story.kind} ${story.key}` +
        (story.id === story.key ? "" : `, id ${story.id}`),
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

const DONE = {
  pause: "The run pauses after the work in hand.",
  resume: "The run goes on.",
  validate: "Validation has begun.",
  retry: "The retry has begun.",
  cancel: "The run ends after the work in hand.",
  rollback: "The rollback has begun.",
};

for (const button of $$("[data-verb]")) {
  button.addEventListener(
    "click",
    () => (button.dataset.verb === "limits" ? askLimits() : askVerb(button.dataset.verb)),
  );
}

/** Asks for a verb; `about` narrows it down, as the keys of a retry do. */
function askVerb(verb, about = {}) {
  const { body = () => ({}), ...words } = VERBS[verb];
  const [key] = about.keys ?? [];
  confirm({
    ...words,
    ...(key === undefined ? {} : {
      title: `Retry ${key}?`,
      text: "Tries this record again, with what depends on it.",
    }),
    act: async (values) => {
      run = await (await send(runPath(run.runId, `/${verb}`), {
        method: "POST",
        body: { ...body(values), ...about },
      }))
        .json();
      drawRun();
      toast(DONE[verb]);
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
      const shown = (system) => String(run.limits[system].requestsPerMinute ?? "");
      // What was left alone is not sent: it would turn a window's rate into one set by hand.
      const changed = ["source", "target"].filter((system) => values[system] !== shown(system));
      if (changed.length === 0) return;
      const rate = (text) => ({ requestsPerMinute: text === "" ? null : number(text) });
      const body = Object.fromEntries(changed.map((system) => [system, rate(values[system])]));
      run = await (await send(runPath(run.runId, "/limits"), { method: "PATCH", body })).json();
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
