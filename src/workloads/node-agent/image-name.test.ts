import { expect, test } from 'vitest'
import { isImageName } from './image-name.ts'

test.each([
  ['nginx', true],
  ['registry.example.com:5000/team/app:1.2@sha256:' + 'a'.repeat(64), true],
  ['alpine:ops!', false],
  ['Team/App', false],
  ['', false],
])('the image %s: %s', (image, want) => expect(isImageName(image)).toBe(want))
