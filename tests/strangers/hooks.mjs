// standardwebhooks opens [[secret, headers, body], …]: what it says of each, or why it refuses.

import { readFileSync } from "node:fs";
import { Webhook, WebhookVerificationError } from "standardwebhooks";

const opened = ([secret, headers, body]) => {
  try {
    return new Webhook(secret).verify(body, headers);
  } catch (error) {
    if (!(error instanceof WebhookVerificationError)) throw error;
    return error.message;
  }
};

console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(opened)));
