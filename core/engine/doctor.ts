/** The pre-flight: what must be right before the first write. Reads both systems, changes nothing. @module */
import type { SourceProfile, TargetProfile } from "../ports/mod.ts";
import { describeError, MigrationError } from "../errors.ts";
import { finding } from "./finding.ts";
import { forecast } from "./forecast.ts";
import type { Finding, Services } from "./types.ts";

export interface Preflight {
  findings: Finding[];
  source: SourceProfile | null;
  target: TargetProfile | null;
  /** The first error itself, for its exit code. */
  failure: MigrationError | null;
}

/**
 * Reads both systems side by side; each problem is a finding, never an exception. `forecast` adds
 * what would keep the load from starting; a run finds that out itself before its first write.
 */
export async function preflight(
  services: Services,
  systems: { source: boolean; target: boolean; forecast?: boolean },
  signal: AbortSignal,
): Promise<Preflight> {
  const result: Preflight = { findings: [], source: null, target: null, failure: null };
  const fail = (group: "source" | "target", error: unknown): void => {
    if (!(error instanceof MigrationError) && signal.aborted) throw error;
    const { message, hint } = describeError(error);
    result.findings.push(finding(group, "error", message, hint ?? null));
    if (error instanceof MigrationError) result.failure ??= error;
    else if (!(error instanceof Error)) throw error;
  };
  await Promise.all([
    systems.source
      ? services.source.probe(signal).then((profile) => {
        result.source = profile;
        result.findings.push(...sourceFindings(services, profile));
      }, (error) => fail("source", error))
      : undefined,
    systems.target
      ? services.target.profile(signal).then((profile) => {
        result.target = profile;
        result.findings.push(...targetFindings(services, profile));
      }, (error) => fail("target", error))
      : undefined,
  ]);
  if (systems.forecast === true && result.target !== null) {
    result.findings.push(...await forecast(services, result.target));
  }
  const order: Finding["group"][] = ["configuration", "source", "target", "mapping", "store"];
  result.findings.push(...settingsFindings(services));
  result.findings.sort((a, b) => order.indexOf(a.group) - order.indexOf(b.group));
  return result;
}

function sourceFindings({ settings }: Services, profile: SourceProfile): Finding[] {
  const findings = [
    finding(
      "source",
      "ok",
      `Zephyr Scale project ${profile.project.key} is readable (API generation ${profile.generation})`,
    ),
  ];
  if (!profile.attachments && settings.include.attachments !== "none") {
    findings.push(finding(
      "source",
      "warning",
      "This Zephyr Scale API has no attachment routes: files stay behind",
      "Set include.attachments to none to silence this, or ask SmartBear when your region gets them.",
    ));
  }
  return findings;
}

function targetFindings({ settings }: Services, profile: TargetProfile): Finding[] {
  const { project, user, permissions } = profile;
  const findings = [
    finding("target", "ok", `qTest project ${project.id} "${project.name}" as ${user.username}`),
  ];
  if (permissions.missing.length > 0) {
    findings.push(finding(
      "target",
      "error",
      `The qTest user ${user.username} lacks permissions: ${permissions.missing.join(", ")}`,
      `Ask a project admin of ${project.id} to grant them.`,
    ));
  }
  if (permissions.approvedOnly === true && !settings.target.approve) {
    findings.push(finding(
      "target",
      "warning",
      `The qTest user ${user.username} may not approve test cases: qTest may refuse results on cases that are not approved`,
      `Ask a project admin of ${project.id} for test_case.approve; set target.approve as well where results need approved cases.`,
    ));
  }
  if (settings.target.marker === "field" && profile.fieldsHidden.length > 0) {
    findings.push(finding(
      "target",
      "error",
      `The qTest user may not read the fields of ${profile.fieldsHidden.join(", ")}`,
      'Ask for the permission "Field Management", or set target.marker to text.',
    ));
  }
  if (settings.target.logs !== "manual" && !project.automation) {
    findings.push(finding(
      "target",
      "error",
      `target.logs is ${settings.target.logs}, but automation is off in qTest project ${project.id}`,
      "Activate Automation Settings in the project, or set target.logs to manual.",
    ));
  }
  const { monthRemaining } = profile;
  if (monthRemaining !== null && monthRemaining <= settings.monthReserve) {
    findings.push(finding(
      "target",
      "error",
      `qTest has ${monthRemaining} requests left this month, the reserve is ${settings.monthReserve}`,
      "Wait for the next month, or lower monthReserve.",
    ));
  }
  return findings;
}

function settingsFindings({ settings }: Services): Finding[] {
  const findings: Finding[] = [];
  if (settings.target.marker === "none") {
    findings.push(finding(
      "configuration",
      "warning",
      "target.marker is none: after a lost answer only artefacts with a unique name are found again",
      "Set target.marker to field or text to be sure that nothing is created twice.",
    ));
  }
  if (settings.include.executions !== "none" && !settings.include.testCases) {
    findings.push(finding(
      "configuration",
      "warning",
      "include.testCases is off: executions have no place without their cases and are not read",
      "Set include.executions to none, or include.testCases to true.",
    ));
  }
  return findings;
}
