// Node 21 and later have a navigator. Where there is none, node-postgres makes a Response to find out what it runs on, and
// Node loads a whole HTTP client for that, which takes a tenth of the start of the program.
if (!('navigator' in globalThis)) {
  Object.defineProperty(globalThis, 'navigator', {
    value: { userAgent: `Node.js/${process.versions.node.split('.')[0]}` },
    configurable: true,
  });
}
