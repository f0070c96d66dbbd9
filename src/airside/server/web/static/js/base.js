// Where this server's pages begin: "" or the path that it answers below.

export const BASE = new URL(import.meta.url).pathname.split("/static/")[0];
