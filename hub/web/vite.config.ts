import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** The hub that the page talks to while it is developed on Vite's own port. */
const hub = { '/api/v1': process.env['OUTRIDER_DEV_HUB'] ?? 'http://127.0.0.1:8080' };

export default defineConfig({
  root: import.meta.dirname,
  base: '/',
  plugins: [react()],
  build: {
    outDir: '../../dist/web',
    // Pages that are open still ask for the files of the build before; .make/build.mjs removes what is old.
    emptyOutDir: false,
    target: 'es2022',
    // The gateway's content policy allows no data: scripts or fonts; small files stay files.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { host: '127.0.0.1', proxy: hub },
  preview: { host: '127.0.0.1', proxy: hub },
});
