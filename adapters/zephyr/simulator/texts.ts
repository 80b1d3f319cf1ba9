/** Names and rich texts, harmless and nasty. @module */
import type { Random } from "../../simulator_kit/mod.ts";

const WORDS =
  ("pump valve sensor login invoice report export filter user session gateway payment order " +
    "basket customer alarm pressure voltage archive printer search index label scanner token network " +
    "cable timeout backup restore shutdown restart firmware display motor relay limit threshold audit")
    .split(" ");
const VERBS = [
  "Check",
  "Verify",
  "Open",
  "Start",
  "Stop",
  "Measure",
  "Confirm",
  "Compare",
  "Enter",
];

/** `count` words, the first one capitalised. */
export function words(random: Random, count: number): string {
  let text = random.pick(VERBS);
  for (let i = 1; i < count; i++) text += ` ${random.pick(WORDS)}`;
  return text;
}

/** A plain sentence of 4 to 12 words. */
export function sentence(random: Random): string {
  return `${words(random, random.int(4, 12))}.`;
}

/** Fragments of HTML as tenants have them, each with one trap. */
export const HTML_TRAPS: readonly string[] = [
  `Observe <strong>the lamp</strong>.&nbsp;See <a href="https://example.org/a?b=1&amp;c=2">the guide</a><br>`,
  `<ul><li>one<ul><li>one.a<ol><li>deep &amp; deeper</li></ol></li></ul></li><li>two</li></ul>`,
  `Keys &lt;Ctrl&gt; &amp; &quot;Del&quot;, 5 &gt; 3, &euro;&nbsp;7&#46;50, &#x1F600;, it&#39;s &copy;`,
  `Range 10\u2060–\u206020 V, soft\u00adhyphen, zero\u200bwidth, no\u00a0break`,
  `Well done 😀 👩‍🔬 🇨🇭 𝒳 日本語 العربية e\u0301`,
  `<img src="https://cloudfront.tm4j.smartbear.com/tenant/5f2c-11/project/10100/embedded-ab12-1600000000000-panel%20view.png" alt="panel">`,
  `<img src="/rest/tests/1.0/attachment/image/4711" /> and <img src='../images/diagram "A".png'>`,
  `Ask [~accountid:557058:16240000-aaaa-4bbb-8ccc-1234567890ab] or [~jdoe] first`,
  `Log in as <var>user</var> with {password} and \${token}`,
  `As in <a href="https://jira.example.org/secure/Tests.jspa#/testCase/SA-T1">SA-T1</a>`,
  `<div><pre>line 1\n  line 2\n\tif (a &lt; b &amp;&amp; c) {}\n</pre></div>`,
  `Unclosed <b>bold <i>both</b> text, stray < and &, a &unknown; entity<br/><hr>`,
  `<table border="1"><tbody><tr><td>A</td><td>1</td></tr><tr><td>B</td><td></td></tr></tbody></table>`,
  `<p style="color: rgb(255, 0, 0);"><span data-x="1">Red</span></p><p><br></p>`,
  `<script>alert(1)</script><a href="javascript:alert(1)" onclick="x()">do not click</a>`,
];

/** A rich text: sentences, and now and then a trap. */
export function richText(random: Random, trapShare = 0.3): string {
  const text = `${sentence(random)}${random.chance(0.4) ? `<br>${sentence(random)}` : ""}`;
  return random.chance(trapShare) ? `${text} ${random.pick(HTML_TRAPS)}` : text;
}

/** A body of about 200 kB. */
export function hugeHtml(random: Random): string {
  let text = "";
  for (let i = 0; text.length < 200_000; i++) {
    text += `<p><strong>${i}</strong> ${sentence(random)} ${HTML_TRAPS[i % 5]}</p>`;
  }
  return text;
}

/** Names with one trap each. */
export const NAME_TRAPS: readonly string[] = [
  "Pump &amp; valve &lt;A&gt; don&#39;t leak",
  "  Leading and trailing blanks  ",
  `"Quoted" 'single' \`back\` name`,
  `${"Long name ".repeat(25)}255!!`,
  "Emoji 😀 and 日本語のテスト",
  "50% load / 100% load \\ path; DROP TABLE x;--",
  "Login works",
  "Login works",
  "<b>not bold</b> & plain",
  '=HYPERLINK("https://example.org")',
];
