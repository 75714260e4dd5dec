#!/usr/bin/env node
import '../dist/cli/navigator.js';
import { main } from '../dist/cli/main.js';

await main(process.argv);
