/** Style sheet of the HTML report. @module */

/** Readable on paper, in the dark and on a phone. */
export const STYLE = `
:root{color-scheme:light dark;--text:#1b1f24;--quiet:#5b6470;--line:#d8dee4;--back:#fff;--card:#f6f8fa;
--created:#2f7d4f;--updated:#2f6fb2;--unchanged:#8a94a0;--withoutTarget:#b9852b;--setAside:#b3402f;--bar:#2f6fb2}
@media(prefers-color-scheme:dark){:root{--text:#e4e8ec;--quiet:#9aa4af;--line:#343b43;--back:#14181c;--card:#1d2329;
--created:#57b37c;--updated:#6ba6e3;--unchanged:#79838f;--withoutTarget:#d6a44c;--setAside:#e0705f;--bar:#6ba6e3}}
body{margin:0;background:var(--back);color:var(--text);font:15px/1.5 system-ui,sans-serif}
main{max-width:1080px;margin:0 auto;padding:1.5rem 1rem 4rem}
h1{font-size:1.6rem;margin:0}h2{font-size:1.15rem;margin:2rem 0 .5rem}h3{font-size:1rem;margin:1rem 0 .3rem}
.quiet{color:var(--quiet);margin:.2rem 0}
.verdict{background:var(--card);border-left:6px solid var(--unchanged);padding:.6rem 1rem;margin:1rem 0}
.verdict p{margin:.2rem 0}.good{border-color:var(--created)}.fair{border-color:var(--withoutTarget)}.bad{border-color:var(--setAside)}
.wide{overflow-x:auto}table{border-collapse:collapse;min-width:40%}
th,td{text-align:left;padding:.25rem .7rem .25rem 0;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
th{font-weight:600;color:var(--quiet);white-space:nowrap}th.n,td.n{text-align:right;font-variant-numeric:tabular-nums}
svg{max-width:100%;height:auto;margin:.8rem 0}svg text{fill:var(--text);font:13px system-ui,sans-serif}
.bar{fill:var(--bar)}.created{fill:var(--created)}.updated{fill:var(--updated)}.unchanged{fill:var(--unchanged)}
.withoutTarget{fill:var(--withoutTarget)}.setAside{fill:var(--setAside)}
summary{cursor:pointer;margin:.5rem 0}code{font-family:ui-monospace,monospace}
`.trim();
