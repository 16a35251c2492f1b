// node tests/bench/better.js DATABASE FILE: runs the statement in FILE, which has
// three parameters, in better-sqlite3, and prints its row as the sqlite3 shell does.
// The seconds that the statement takes go to BENCH/wall: Node takes its time to start.
"use strict";
const fs = require("node:fs");
const Database = require("better-sqlite3");

const [file, statement] = process.argv.slice(2);
const db = new Database(file);
db.loadExtension(process.env.RTK_SO);
const begin = process.hrtime.bigint();
const row = db.prepare(fs.readFileSync(statement, "utf8")).raw().get("APP", 1000, "");
const seconds = Number(process.hrtime.bigint() - begin) / 1e9;
fs.writeFileSync(`${process.env.BENCH}/wall`, seconds.toFixed(6));
console.log(row.join("|"));
