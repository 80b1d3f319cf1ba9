import { assertEquals, assertThrows } from "@std/assert";
import { toUtcSeconds, toWireInstant } from "../../adapters/qtest/instants.ts";
import { decodeValue, encodeValue } from "../../adapters/qtest/values.ts";
import { decodeFileName, encodeFileName } from "../../adapters/qtest/file_name.ts";
import { qtestErrorMessage } from "../../adapters/qtest/error_text.ts";
import { SetAsideError } from "../../core/errors.ts";
import type { FieldType, FieldValue, TargetField } from "../../core/ports/mod.ts";

function field(type: FieldType, labels: string[] = [], multiple = false): TargetField {
  return {
    id: "-5",
    object: "testCase",
    label: "F",
    type,
    dataType: null,
    multiple,
    required: false,
    isSystem: false,
    originalName: null,
    options: labels.map((label, index) => ({ id: String(21 + index), label })),
    defaultValue: null,
  };
}

Deno.test("encodeValue() writes each type as the target stores it", () => {
  const cases: [TargetField, FieldValue, string | null][] = [
    [field("text"), { type: "text", text: "a<b" }, "a<b"],
    [field("richText"), { type: "richText", html: "<p>x</p>" }, "<p>x</p>"],
    [field("richText"), { type: "text", text: "a<b" }, "a&lt;b"],
    [field("number"), { type: "number", value: 1.5 }, "1.5"],
    [field("number"), { type: "number", value: 1e21 }, "1000000000000000000000"],
    [field("number"), { type: "number", value: -2.5e-7 }, "-0.00000025"],
    [field("date"), { type: "date", iso: "2023-06-30" }, "2023-06-30T00:00:00+00:00"],
    [
      field("dateTime"),
      { type: "dateTime", iso: "2023-06-30T01:02:03.999Z" },
      "2023-06-30T01:02:03+00:00",
    ],
    [field("combo", ["High", "Low"]), { type: "options", labels: ["low"] }, "22"],
    [field("combo", ["High"]), { type: "options", labels: [] }, null],
    [field("combo", ["No", "Yes"]), { type: "boolean", value: true }, "22"],
    [field("multiSelect", ["a", "b, c"]), { type: "options", labels: ["a", "b, c"] }, "[21,22]"],
    [field("multiSelect", ["a"]), { type: "options", labels: [] }, "[]"],
    [field("checkbox", ["Done"]), { type: "boolean", value: true }, "[21]"],
    [field("checkbox", ["Done"]), { type: "boolean", value: false }, "[]"],
    [field("user", [], true), { type: "users", ids: ["626983"] }, "[626983]"],
    [field("user"), { type: "users", ids: ["626983"] }, "[626983]"],
    [field("user"), { type: "users", ids: [] }, "[]"],
    [field("other"), { type: "text", text: "x" }, null],
  ];
  for (const [target, value, expected] of cases) {
    assertEquals(encodeValue(target, value), expected, `${target.type} ${JSON.stringify(value)}`);
  }
});

Deno.test("encodeValue() sets the record aside, when a label is no active option", () => {
  const error = assertThrows(
    () => encodeValue(field("combo", ["High"]), { type: "options", labels: ["Huge"] }),
    SetAsideError,
    '"Huge" is no active value',
  );
  assertEquals(error.reason, "unknown-option");
});

Deno.test("decodeValue() reads what comes back in every shape", () => {
  const cases: [TargetField | undefined, unknown, string | null, FieldValue | null][] = [
    [field("combo", ["High"]), 21, "High", { type: "options", labels: ["High"] }],
    [field("combo", ["High"]), "99", "Gone", { type: "options", labels: ["Gone"] }],
    [field("multiSelect", ["a", "b, c"]), "[21,22]", "[a, b, c]", {
      type: "options",
      labels: ["a", "b, c"],
    }],
    [field("multiSelect", ["a"]), "[]", null, null],
    [field("checkbox", ["Yes", "No"]), "[21]", "[Yes]", { type: "boolean", value: true }],
    [field("checkbox", ["Yes"]), "[]", null, { type: "boolean", value: false }],
    [field("checkbox", ["Vendor"]), "[21]", "[Vendor]", { type: "boolean", value: true }],
    [field("checkbox", ["Vendor"]), "[]", null, { type: "boolean", value: false }],
    [field("user"), "[626983]", "[Jane Doe]", { type: "users", ids: ["626983"] }],
    [field("number"), 3, null, { type: "number", value: 3 }],
    [field("dateTime"), "2023-06-30T07:00:00+0700", null, {
      type: "dateTime",
      iso: "2023-06-30T00:00:00Z",
    }],
    [field("text"), undefined, null, null],
    [field("text"), null, null, null],
    [undefined, 12, "x", { type: "text", text: "12" }],
  ];
  for (const [target, raw, name, expected] of cases) {
    assertEquals(
      decodeValue(target, raw, name),
      expected,
      `${target?.type} ${JSON.stringify(raw)}`,
    );
  }
});

Deno.test("toUtcSeconds() compares instants across offsets and drops fractions", () => {
  assertEquals(toUtcSeconds("2019-05-09T09:53:42-04:00"), "2019-05-09T13:53:42Z");
  assertEquals(toUtcSeconds("2019-05-09T09:53:42.987Z"), "2019-05-09T09:53:42Z");
  assertEquals(toUtcSeconds(1_557_409_422_999), "2019-05-09T13:43:42Z");
  assertEquals(toUtcSeconds("soon"), null);
  assertThrows(() => toWireInstant("soon"), SetAsideError);
});

Deno.test("encodeFileName() keeps printable ASCII and encodes the rest, there and back", () => {
  assertEquals(encodeFileName("log 1.txt"), "log 1.txt");
  assertEquals(encodeFileName("Prüfung 50%.png"), "Pr%C3%BCfung%2050%25.png");
  for (const name of ["größe.txt", "50%.txt", "a%20b.txt", " x.txt", "日本.png", 'q"uote.txt']) {
    assertEquals(decodeFileName(encodeFileName(name)), name);
    // A tenant that decodes the header by itself shows the plain name.
    assertEquals(decodeFileName(name), name);
  }
});

Deno.test("qtestErrorMessage() finds the vendor's words in each shape", () => {
  assertEquals(qtestErrorMessage({ message: "Test run was locked" }, ""), "Test run was locked");
  assertEquals(qtestErrorMessage({ error: "invalid_grant", error_description: "Bad" }, ""), "Bad");
  const wrapped = { result: null, errors: [{ message: "No", additionalInfo: "why" }] };
  assertEquals(qtestErrorMessage(wrapped, ""), "No (why)");
  assertEquals(qtestErrorMessage(undefined, "<html><b>502</b> Bad</html>"), "502 Bad");
  assertEquals(qtestErrorMessage(undefined, ""), null);
});
