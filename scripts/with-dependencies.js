// Runs a command of the project in a checkout that may be fresh: installs the dependencies when they are missing, builds,
// then runs the command. Uses nothing but Node, as nothing else may be there.
//   node scripts/with-dependencies.js vitest run test/unit
//   node scripts/with-dependencies.js node scripts/demo.js --keep
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const projectRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/**
 * @param {string} program
 * @param {string[]} args
 * @returns {Promise<number>} exit code
 */
function run(program, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: projectRoot,
      stdio: 'inherit',
      env: {
        ...process.env,
        PATH: `${path.join(projectRoot, 'node_modules', '.bin')}${path.delimiter}${process.env.PATH}`,
      },
    });
    // Ctrl-C reaches the child too; wait for it to clean up.
    const onInterrupt = () => {};
    const onTerminate = () => child.kill('SIGTERM');
    process.on('SIGINT', onInterrupt);
    process.on('SIGTERM', onTerminate);
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      process.off('SIGINT', onInterrupt);
      process.off('SIGTERM', onTerminate);
      resolve(signal ? 130 : (code ?? 1));
    });
  });
}

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`lizsync needs Node 20.19 or newer; this is ${process.versions.node}`);
  process.exit(1);
}

/** @type {[string, string[]][]} */
const steps = [];
// npm writes this file at the end of an installation that succeeded.
if (!existsSync(path.join(projectRoot, 'node_modules', '.package-lock.json'))) {
  const npm = process.env.npm_execpath;
  console.log('Installing the dependencies (npm ci) ...');
  steps.push(npm ? [process.execPath, [npm, 'ci', '--no-audit', '--no-fund']] : ['npm', ['ci']]);
}
steps.push(['tsc', ['-p', 'tsconfig.json']]);
const [program, ...args] = process.argv.slice(2);
if (program) {
  steps.push([program, args]);
}

for (const [stepProgram, stepArgs] of steps) {
  const code = await run(stepProgram, stepArgs);
  if (code !== 0) {
    process.exitCode = code;
    break;
  }
}
