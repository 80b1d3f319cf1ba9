/** The configuration that `ztoq init` starts with. @module */

/** Answers that `init` may have asked for. */
export interface StarterAnswers {
  sourceUrl: string;
  projectKey: string;
  targetUrl: string;
  projectId: string;
  /** Path of the mapping file, from the working folder. @default {"./ztoq.mapping.json"} */
  mapping?: string;
}

/** Text of a starter `ztoq.json`; secrets are named, never written. */
export function starterConfig(answers: StarterAnswers): string {
  const config = {
    $schema: "./ztoq.schema.json",
    source: {
      kind: "zephyr-scale-cloud",
      baseUrl: answers.sourceUrl,
      token: "env:ZEPHYR_API_TOKEN",
      projectKey: answers.projectKey,
      requestsPerMinute: 400,
    },
    target: {
      kind: "qtest-manager",
      baseUrl: answers.targetUrl,
      token: "env:QTEST_BEARER_TOKEN",
      projectId: /^\d{1,15}$/.test(answers.projectId)
        ? Number(answers.projectId)
        : answers.projectId,
      requestsPerMinute: 400,
      marker: "field",
    },
    store: { url: "file:./ztoq.db" },
    include: {
      executions: "all",
      executionSteps: "executed",
      attachments: "entities",
      links: true,
    },
    mapping: answers.mapping ?? "./ztoq.mapping.json",
    report: { dir: "./ztoq-report" },
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
