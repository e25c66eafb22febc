// node run_poll.js POLL_JS OPTIONS: runs `pollSession` with a clock that a test can trust, and prints what became of it.
"use strict";

const fs = require("node:fs");
const [, , file, given] = process.argv;
const pollSession = new Function(`${fs.readFileSync(file, "utf8")}; return pollSession;`)();
const { realTime, stopAfter, freshTokens, ...options } = JSON.parse(given);
const stopping = new AbortController();
const waits = [];
const seen = [];
let time = 0;
let tokens = 0;

if (!realTime) {
  const wait = async (ms) => {
    waits.push(ms);
    time += ms;
  };
  options.clock = { now: () => time, wait };
}
if (freshTokens) {
  options.token = async () => `token-${(tokens += 1)}`;
}
if (stopAfter) {
  setTimeout(() => stopping.abort(), stopAfter);
}
const onStatus = (session) => seen.push(session.session_status);
pollSession({ random: () => 0.5, ...options, onStatus, signal: stopping.signal }).then((result) => {
  process.stdout.write(JSON.stringify({ result, waits, seen }));
});
