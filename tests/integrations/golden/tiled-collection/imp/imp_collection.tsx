<?xml version="1.0" encoding="UTF-8"?>
<tileset version="1.10" tiledversion="1.10.0" name="imp_collection" tilewidth="8" tileheight="8" tilecount="4" columns="0">
 <grid orientation="orthogonal" width="1" height="1"/>
 <tile id="0" type="imp" x="2" y="2" width="8" height="8">
  <properties>
   <property name="name" value="imp_000000"/>
   <property name="score" type="float" value="0.5000"/>
   <property name="slot" type="int" value="0"/>
  </properties>
  <image source="imp.png" width="22" height="22"/>
 </tile>
 <tile id="1" type="imp" x="12" y="2" width="8" height="8">
  <properties>
   <property name="name" value="imp_000001"/>
   <property name="score" type="float" value="0.5625"/>
   <property name="slot" type="int" value="1"/>
  </properties>
  <image source="imp.png" width="22" height="22"/>
 </tile>
 <tile id="2" type="imp" x="2" y="12" width="8" height="8">
  <properties>
   <property name="name" value="imp_000002"/>
   <property name="score" type="float" value="0.6250"/>
   <property name="slot" type="int" value="2"/>
  </properties>
  <image source="imp.png" width="22" height="22"/>
 </tile>
 <tile id="4" type="imp" x="2" y="2" width="8" height="8">
  <properties>
   <property name="name" value="imp_000004"/>
   <property name="score" type="float" value="0.7500"/>
   <property name="slot" type="int" value="4"/>
  </properties>
  <image source="imp_2.png" width="22" height="12"/>
 </tile>
</tileset>
