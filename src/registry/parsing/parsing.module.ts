import { Module } from '@nestjs/common';
import { ManifestParser } from './manifest-parser.service.js';

@Module({ providers: [ManifestParser], exports: [ManifestParser] })
export class ParsingModule {}
