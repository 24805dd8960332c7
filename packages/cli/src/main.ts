#!/usr/bin/env node
/** The adjoint command. */
console.log(JSON.stringify({ arguments: process.argv.slice(2) }));
