import { assert, assertEquals } from "@std/assert";
import { RefusedError } from "../../core/errors.ts";
import type { Services } from "../../core/engine/types.ts";
import type { Draft } from "../../core/ports/mod.ts";
import { startWorld } from "../helpers/world.ts";

const DATA = { seed: 11, data: { cases: 20, executions: 60 } };

/** A site that refuses drafts for reasons of its own, before anything reaches the simulator. */
function refuse(services: Services, whyNot: (draft: Draft) => string | null): void {
  const { target } = services;
  const create = target.create.bind(target);
  services.target = {
    ...target,
    create: (draft, options) => {
      const answer = whyNot(draft);
      if (answer === null) return create(draft, options);
      throw new RefusedError(`Cannot create: ${answer}`, { status: 400, answer });
    },
  };
}

Deno.test("advance() sends a record without its files, when the site refuses it with them", async () => {
  await using world = await startWorld({ zephyr: DATA });
  const { services, migrator, close } = world.engine();
  let refusals = 0;
  refuse(services, (draft) => {
    if (!("attachments" in draft) || draft.attachments.length === 0) return null;
    refusals++;
    return "Unexpected error occurred";
  });
  const { exitCode, summary } = await migrator.advance({});
  close();
  assert(refusals > 0);
  assertEquals([exitCode, summary.counts.attachment.setAside], [0, 0]);
  assert(summary.counts.attachment.created > 0);
});

Deno.test("advance() still fills empty texts, when a case was refused for its name afterwards", async () => {
  await using world = await startWorld({ zephyr: DATA });
  const { services, migrator, close } = world.engine();
  let named = 0;
  refuse(services, (draft) => {
    if (draft.kind !== "testCase") return null;
    const isOpen = draft.steps.some((step) =>
      step.calledTestCaseId === null && (step.expectedHtml === "" || step.descriptionHtml === "")
    );
    if (isOpen) return "must not be empty";
    if (named > 0 || draft.steps.every((step) => step.expectedHtml !== "-")) return null;
    named++;
    return "the name already exists";
  });
  const { exitCode, summary } = await migrator.advance({});
  close();
  assertEquals([named, exitCode, summary.counts.testCase.setAside], [1, 0, 0]);
  assertEquals(summary.losses["name-taken"], 1);
});

Deno.test("doctor() warns, when results may only go on approved cases and nobody may approve", async () => {
  await using world = await startWorld({ zephyr: DATA });
  for (const approve of [false, true]) {
    world.settings.target.approve = approve;
    const { services, migrator, close } = world.engine();
    const profile = services.target.profile.bind(services.target);
    services.target.profile = async (signal) => {
      const read = await profile(signal);
      return { ...read, permissions: { ...read.permissions, approvedOnly: true } };
    };
    const findings = await migrator.doctor(new AbortController().signal);
    close();
    const warned = findings.filter((row) => row.level === "warning");
    assertEquals(warned.some((row) => row.message.includes("may not approve")), !approve);
  }
});
