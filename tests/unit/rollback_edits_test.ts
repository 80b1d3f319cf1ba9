import { assertEquals } from "@std/assert";
import type { Found, TargetRow, TestCaseDraft } from "../../core/ports/mod.ts";
import { changesOf } from "../../core/rollback/edits.ts";
import { targetRow } from "../../core/transform/stages/rows.ts";
import { profileOf } from "./transform_support.ts";

const SENT = 'Hi <script>alert("1")</script><b style="color:red" onclick="x()">you</b>' +
  '<a href="javascript:x()">there</a>';

const DRAFT: TestCaseDraft = {
  kind: "testCase",
  parentId: "10",
  name: "Log in",
  order: null,
  descriptionHtml: SENT,
  preconditionHtml: "",
  steps: [{ descriptionHtml: SENT, expectedHtml: "", calledTestCaseId: null }],
  fields: [],
  attachments: [],
};

function changes(html: string): string | null {
  const found: Found = {
    kind: "testCase",
    id: "1",
    pid: null,
    webUrl: null,
    parentId: "10",
    parentType: "module",
    name: "Log in",
    descriptionHtml: html,
    preconditionHtml: null,
    order: 1,
    fields: [],
    steps: [{ id: "2", order: 1, descriptionHtml: html, expectedHtml: "", calledTestCaseId: null }],
    versionId: null,
    testCaseId: null,
    targetReleaseId: null,
    log: null,
  };
  const row: TargetRow = { ...targetRow({ kind: "testCase", key: "SA-T1", ord: 0 }) } as TargetRow;
  const ready = {
    state: "ready" as const,
    draft: DRAFT,
    hash: "h",
    inline: [],
    calls: [],
    losses: null,
  };
  return changesOf({ targetProfile: profileOf() }, { ...row, payloadHash: "h" }, ready, found);
}

Deno.test("changesOf() finds nothing edited in rich text that the site made safe", () => {
  assertEquals(changes(SENT), null);
  assertEquals(changes("Hi <b>you</b><a>there</a>"), null);
});

Deno.test("changesOf() names the parts whose content somebody changed", () => {
  assertEquals(changes("Hi <b>all</b><a>there</a>"), "edited: description, step 1 description");
  assertEquals(changes("Hi you<a>there</a>"), "edited: description, step 1 description");
});
