/** Which addresses are Zephyr Scale Cloud, and what to say about the ones that are not. @module */
import { ConfigError } from "../../core/errors.ts";

/** Said wherever the vendor refuses access: a wrong region looks exactly like a wrong token. */
export const REGION_HINT =
  "Check the API token and that the base URL is the one of your Jira site's data residency " +
  "(US api.zephyrscale.smartbear.com/v2, EU eu.api…, AU au.api…, DE de.api…); another region refuses a valid token";

const SCALE_HOST = /(^|\.)api\.zephyrscale\.smartbear\.com$/;

const OTHER_PRODUCTS: { matches: (url: URL) => boolean; product: string }[] = [
  { matches: (url) => /(^|\.)zephyr4jiracloud\.com$/.test(url.hostname), product: "Zephyr Squad" },
  { matches: (url) => /\/rest\/zapi(\/|$)/.test(url.pathname), product: "Zephyr Squad Server" },
  { matches: (url) => /\/flex\/services(\/|$)/.test(url.pathname), product: "Zephyr Enterprise" },
  {
    matches: (url) => /\/rest\/atm(\/|$)/.test(url.pathname),
    product: "Zephyr Scale Server / Data Center",
  },
  {
    matches: (url) =>
      url.hostname === "app.tm4j.smartbear.com" || /\/rest\/tests\//.test(url.pathname),
    product: "the private backend of the Zephyr Scale app",
  },
  {
    matches: (url) => /(^|\.)(atlassian\.net|jira\.com)$/.test(url.hostname),
    product: "the Jira site",
  },
];

/**
 * Returns the base URL without trailing slashes. Throws {@linkcode ConfigError} when it is no
 * address of the Zephyr Scale Cloud API v2: another Zephyr product, Jira, a missing `/v2`.
 */
export function checkZephyrBaseUrl(baseUrl: string): string {
  const url = parse(baseUrl);
  const other = OTHER_PRODUCTS.find((candidate) => candidate.matches(url));
  if (other !== undefined) {
    throw new ConfigError(
      `Cannot use source base URL "${url.origin}${url.pathname}": it is ${other.product}, not Zephyr Scale Cloud`,
      { hint: "Use https://api.zephyrscale.smartbear.com/v2 or the address of your region" },
    );
  }
  if (SCALE_HOST.test(url.hostname) && !/^\/v2\/*$/.test(url.pathname)) {
    throw new ConfigError(
      `Cannot use source base URL "${url.origin}${url.pathname}": the path of the API is /v2`,
      { hint: `Use ${url.origin}/v2` },
    );
  }
  return (url.origin + url.pathname).replace(/\/+$/, "");
}

function parse(baseUrl: string): URL {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : null;
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) {
    throw new ConfigError("Cannot use source base URL: it is no http(s) URL", {
      hint: "Use https://api.zephyrscale.smartbear.com/v2 or the address of your region",
    });
  }
  if (url.username !== "" || url.password !== "") {
    throw new ConfigError("Cannot use source base URL: it holds credentials", {
      hint: "Give the API token as source.token",
    });
  }
  return url;
}
