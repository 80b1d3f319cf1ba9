/** Names that a configuration may use for checks and for losses, each with what it means. @module */
import type { IssueLevel } from "../ports/mod.ts";

/** Every level a finding may have, least first. */
export const ISSUE_LEVELS: readonly IssueLevel[] = ["info", "warning", "error", "critical"];

/** Validation rules; `validation.rules` turns them off or changes their level. */
export const VALIDATION_RULES: Readonly<Record<string, string>> = {
  connectivity: "a system cannot be reached",
  project_existence: "a project is missing or cannot be read",
  project_required_fields: "the project lacks its key or id",
  test_case_required_fields: "a test case lacks key or name",
  test_case_name_length: "the name of a test case is longer than the target takes",
  test_case_key_pattern: "the key of a test case does not look like KEY-T1",
  test_case_steps_validation: "the steps of a test case cannot be read or are out of order",
  test_cycle_required_fields: "a test cycle lacks key or name",
  test_execution_required_fields: "a test execution lacks its test case or status",
  test_status_mapping: "a status has no counterpart in the target",
  attachment_size_limit: "a file is larger than the target takes",
  attachment_extension: "a file type that targets may refuse",
  custom_field_type: "values of a custom field do not fit one type",
  custom_field_transformation: "a custom field value could not be transformed",
  testcase_folder_reference: "a record names a folder that is not there",
  execution_testcase_reference: "an execution names a test case that is not there",
  execution_cycle_reference: "an execution names a test cycle that is not there",
  testcase_data_integrity: "a test case in the target differs from the source",
  testcycle_data_integrity: "a test cycle in the target differs from the source",
  entity_count_comparison: "counts of source and target differ by more than 1, 5 or 20 %",
  critical_entity_validation: "a record that everything depends on is missing",
  relationship_integrity_validation: "a relation between records is not the same in the target",
  custom_field_migration_validation: "a custom field value in the target differs",
  attachment_migration_validation: "an attachment in the target is missing or differs",
  missing_entities: "records of the source are missing in the target",
  extra_entities: "the target holds marked artefacts that no record stands for",
  invalid_references: "a reference leads nowhere",
};

/** Loss rules; `accept` lists the ones that are fine. */
export const LOSS_RULES: Readonly<Record<string, string>> = {
  "archived-case": "an archived or unreadable test case became a placeholder",
  "attachment-too-large": "a file over the target's limit stays in the report folder",
  "bulk-step-text":
    "the texts of an executed step differ from those of its case, which a bulk log has to carry",
  "call-inlined": "a call to another test case became a line of text",
  "call-parameters": "a called test case has no place for the parameters of the call",
  "cycle-attachment":
    "files of test cycles have no place in the target and stay in the report folder",
  "empty-expected": "the target refuses empty step texts; they became a dash",
  "executor-as-text": "who executed stands in the note; the log belongs to the token's user",
  "extra-plan":
    "a cycle of several plans has one target release; further plans are named in its text",
  "field-type-clash": "a field of that label has another type; a text field took the values",
  "file-name-encoded": "the target keeps a file under a name with percent signs",
  "image-unreachable": "an embedded image cannot be read with an API token; its URL is kept",
  "issue-key-unknown": "an issue link names a number only; the mapping file may name its key",
  "label-taken": "a field label was taken; the field got the suffix (Zephyr)",
  "missing-parent":
    "the folder is unknown, the record went under the root; or the cycle, it counts as ad hoc",
  "name-cut": "a name was longer than the target takes",
  "name-missing": "a record without name took its key",
  "name-taken": "the target refused a second sibling of one name; it got a number",
  "no-end-date":
    "an execution without end date took the cycle's planned end or the time of the run",
  "no-field": "the target has no field for a value; where there is a text, the value stands in it",
  "no-log": "an execution whose status maps to no log made only a test run",
  "no-log-attachment": "files of executions without log stay in the report folder",
  "not-included": "a reference to a kind that is switched off became text",
  "old-version": "an execution of an older version hangs on the current version",
  "option-missing": "a choice field of the target lacks the option",
  "plan-folder": "folders of test plans have no place; their path stands in the release's text",
  "priority-merged": "a priority became one that says less",
  "priority-unmapped": "the target does not allow the priority that is wanted",
  "required-default": "a field the target requires took its default value",
  "requirement-not-linked": "the target left a test case out of a requirement's links",
  "status-merged": "an execution status became one that says less",
  "status-unmapped":
    "the status of an executed step has no counterpart; the step log is Unexecuted",
  "steps-in-note": "executed steps that no longer match the test case stand in the note",
  "value-unreadable": "a date or number of the source that is none; its bytes are kept",
  "value-unfit": "a value does not fit the type of the target's field",
};
