// The mlflow client prints addresses of its own pages: /#/experiments/E/runs/R and /#/models/N/versions/V.
// They lead to ours.

import { BASE } from "./base.js";

const LEADS = [
  [/^#\/experiments\/([^/?]+)\/runs\/([^/?]+)/, ([, , run]) => `/runs/${run}`],
  [/^#\/experiments\/([^/?]+)/, ([, experiment]) => `/experiments/${experiment}/runs`],
  [/^#\/models\/([^/?]+)\/versions\/([^/?]+)/, ([, name, version]) => `/models/${name}/versions/${version}`],
  [/^#\/models\/([^/?]+)/, ([, name]) => `/models/${name}`],
  [/^#\/models\/?$/, () => "/"],
  [/^#\/experiments\/?$/, () => "/experiments"],
];

/** The page of ours that a fragment stands for, or null. */
export function target(hash) {
  for (const [pattern, page] of LEADS) {
    const found = pattern.exec(hash);
    if (found) return page(found.map((part) => encodeURIComponent(decode(part))));
  }
  return null;
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function lead() {
  const go = () => {
    const page = target(location.hash);
    if (page) location.replace(BASE + page);
  };
  go();
  addEventListener("hashchange", go);
}
