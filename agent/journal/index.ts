export { JournalSettings } from './config.ts';
export { createJournal, judgeJournal } from './journal.ts';
