// Writes the commands and options of the built program into README.md, between the markers "usage" and "end of usage".
//   --check   change nothing; exit with 1 when README.md is not up to date
import { readFile, writeFile } from 'node:fs/promises';
import { createProgram } from '../dist/cli/program.js';
import { chooseProgressDisplay } from '../dist/cli/progress-display.js';
import { Terminal } from '../dist/cli/terminal.js';

/** @typedef {import('commander').Command} Command */

const readme = new URL('../README.md', import.meta.url);
const markers = /(<!-- usage -->\n)[\s\S]*(<!-- end of usage -->)/;

/** Text of a table cell: a bar would end it. @param {string} text */
function escapeCell(text) {
  return text.replaceAll('|', '\\|');
}

/** @param {Command} command */
function describeOptions(command) {
  const rows = command.options.map((option) => {
    const flags = escapeCell(option.mandatory ? `${option.flags} (required)` : option.flags);
    return `| \`${flags.replace(' (required)', '')}\`${option.mandatory ? ' (required)' : ''} | ${escapeCell(option.description)} |`;
  });
  return ['| option | |', '|---|---|', ...rows].join('\n');
}

/** The examples that the command's own help ends with. @param {Command} command */
function describeExamples(command) {
  let help = '';
  command.configureOutput({ writeOut: (text) => (help += text) });
  command.outputHelp();
  const examples = help.split('\nExamples:\n')[1] ?? '';
  return ['```sh', ...examples.trim().split(/\n\s*/), '```'].join('\n');
}

/** @param {Command} program */
function describeProgram(program) {
  const commands = program.commands.map(
    (command) => `| [\`${command.name()}\`](#${anchor(command)}) | ${command.summary()} |`,
  );
  return [
    ['| command | |', '|---|---|', ...commands].join('\n'),
    'All commands have these options:',
    describeOptions(program),
    ...program.commands.flatMap((command) => [
      `### lizsync ${command.name()}`,
      `\`lizsync ${command.name()} ${command.usage()}\``,
      command.description(),
      describeOptions(command),
      ...command.commands.flatMap((subcommand) => [
        `\`lizsync ${command.name()} ${subcommand.name()} ${subcommand.usage()}\``,
        subcommand.description(),
        ...(subcommand.options.length > 0 ? [describeOptions(subcommand)] : []),
      ]),
      describeExamples(command),
    ]),
  ].join('\n\n');
}

/** The name that GitHub gives the heading. @param {Command} command */
function anchor(command) {
  return `lizsync-${command.name()}`;
}

const terminal = new Terminal(
  { json: false, quiet: true, verbose: false },
  await chooseProgressDisplay(process.stderr),
);
const environment = { variables: {}, homeDirectory: undefined, userName: undefined };
const program = createProgram(terminal, environment, new AbortController().signal, () => {});
const before = await readFile(readme, 'utf8');
if (!markers.test(before)) {
  throw new Error('README.md has no markers <!-- usage --> and <!-- end of usage -->');
}
const usage = describeProgram(program);
const after = before.replace(markers, (_, begin, end) => `${begin}\n${usage}\n\n${end}`);
if (!process.argv.includes('--check')) {
  await writeFile(readme, after);
} else if (after !== before) {
  process.stderr.write('README.md is not up to date; run: npm run build && node scripts/update-readme.js\n');
  process.exitCode = 1;
}
